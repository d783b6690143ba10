"""The lecture and the status against an emulated AWS and an API on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from rich.console import Console
from typer.testing import CliRunner

from config.contracts import api_paths, metrics
from config.contracts.environment import INTERNAL_KEY_HEADER
from config.contracts.names import REGION
from config.contracts.parameters import secret_reference
from config.settings import load_settings
from ops import aws, facts, lecture, status, up
from ops.api import Api
from ops.cli import app
from ops.errors import OperatorError
from ops.operator_access import Access, load_access

TOKEN, KEY = "operator-Ab12", "internal-Cd34"
VIDEO_ID = 7


class FakeApi:
    """The staff's calls as the contract has them; the job ends at the third look."""

    def __init__(self, final: dict[str, Any]) -> None:
        self.final = final
        self.looks = 0
        self.uploaded = b""
        self.completed = False
        self.broken = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.answer(self)

            do_POST = do_PUT = do_GET  # noqa: N815 - http.server's names

            def log_message(self, *args: object) -> None:
                """Stay silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        code, answer = self.route(request, body)
        request.send_response(code)
        request.end_headers()
        request.wfile.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    def route(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, Any]:
        if request.path == "/bucket?signature=s":
            self.uploaded = body
            return 200, b""
        if request.path == api_paths.METRICS:
            if request.headers[INTERNAL_KEY_HEADER] != KEY:
                return 403, {}
            return 200, b"# HELP x\nacademy_video_backlog 2.0\nacademy_api_requests_total 5.0\n"
        if request.headers["Authorization"] != f"Bearer {TOKEN}":
            return 401, {"detail": "no"}
        return self.staff(request, body)

    def staff(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, Any]:
        if request.path == api_paths.UPLOAD_INIT:
            upload = {"video": {"id": VIDEO_ID}, "upload_url": f"{self.url}/bucket?signature=s"}
            return 201, {**upload, "content_type": json.loads(body)["content_type"]}
        if request.path == api_paths.upload_complete(VIDEO_ID):
            self.completed = True
            return 200, {}
        if request.path == api_paths.progress(VIDEO_ID):
            return self.progress()
        return 404, {}

    def progress(self) -> tuple[int, Any]:
        self.looks += 1
        if self.looks == 1:
            return 503, {"detail": "restarting"}
        now = datetime.now(UTC).isoformat()
        if self.looks == 2:
            return 200, {"status": "PROCESSING", "sent_at": now, "started_at": now, "percent": 40}
        return 200, {"sent_at": now, "started_at": now, "finished_at": now, **self.final}


READY = {"status": "READY", "watch_url": "http://localhost/watch/x/", "percent": 100}
FAILED = {"status": "FAILED", "error_code": "CORRUPT", "error_message": "파일이 손상되었습니다."}


@pytest.fixture
def api(request: pytest.FixtureRequest) -> Iterator[FakeApi]:
    served = FakeApi(getattr(request, "param", READY))
    yield served
    served.server.shutdown()
    served.server.server_close()


@pytest.fixture(autouse=True)
def platform(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(lecture, "POLL_S", 0.01)
    with mock_aws():
        aws.client.cache_clear()
        secrets = boto3.client("secretsmanager", region_name=REGION)
        ssm = boto3.client("ssm", region_name=REGION)
        values = {"/academy/workers/env/API_BASE_URL": f"{api.url}/"}
        for name, value in (("OPERATOR_API_TOKEN", TOKEN), ("LAMBDA_INTERNAL_API_KEY", KEY)):
            arn = secrets.create_secret(Name=name, SecretString=value)["ARN"]
            values[f"/academy/api/env/{name}"] = secret_reference(arn)
        for name, value in values.items():
            ssm.put_parameter(Name=name, Value=value, Type="String")
        _fleet_and_queues()
        yield
        aws.client.cache_clear()


def _fleet_and_queues() -> None:
    sqs = boto3.client("sqs", region_name=REGION)
    for queue in ("academy-video-jobs", "academy-video-jobs-dlq"):
        sqs.create_queue(QueueName=queue)
    autoscaling = boto3.client("autoscaling", region_name=REGION)
    autoscaling.create_launch_configuration(
        LaunchConfigurationName="l", ImageId="ami-12c6146b", InstanceType="t3.micro"
    )
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="academy-video-worker-asg",
        LaunchConfigurationName="l",
        MinSize=0,
        MaxSize=3,
        AvailabilityZones=[f"{REGION}a"],
    )


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "lecture.mp4"
    path.write_bytes(b"a lecture")
    return path


def quiet() -> Console:
    return Console(quiet=True)


def test_a_lecture_is_uploaded_completed_and_followed_to_the_end(api: FakeApi, video: Path) -> None:
    ended = lecture.run(load_settings("local"), video, quiet(), tenant_id=3)

    assert (api.uploaded, api.completed) == (b"a lecture", True)
    assert ended.is_ready
    assert ended.moments.at_rest is not None
    assert ended.progress["watch_url"] == READY["watch_url"]


@pytest.mark.parametrize("api", [FAILED], indirect=True)
def test_a_failed_video_ends_the_command_with_its_reason(api: FakeApi, video: Path) -> None:
    result = CliRunner().invoke(app, ["lecture", str(video)])
    assert isinstance(result.exception, OperatorError)
    assert "파일이 손상되었습니다." in str(result.exception)

    shown = CliRunner().invoke(app, ["lecture", "--json", str(video)])
    assert shown.exit_code == 1
    assert json.loads(shown.stdout)["progress"]["error_code"] == "CORRUPT"


def test_json_of_a_lecture_holds_every_hop(api: FakeApi, video: Path) -> None:
    shown = CliRunner().invoke(app, ["lecture", "--json", str(video)])
    found = json.loads(shown.stdout)
    assert shown.exit_code == 0
    assert [hop["name"] for hop in found["hops"]][-1] == "fleet back at its minimum"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"none\.mp4 is no file"):
        lecture.run(load_settings("local"), tmp_path / "none.mp4", quiet(), tenant_id=1)


def test_a_missing_file_is_named_before_anything_is_deployed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:9")
    monkeypatch.setattr(up.deploying, "synthesize", lambda *_: pytest.fail("synthesized"))
    with pytest.raises(OperatorError, match=r"none\.mp4 is no file"):
        up.up("tag", tmp_path / "none.mp4", quiet(), tenant_id=1)


def test_silence_of_the_api_ends_following(
    api: FakeApi, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lecture, "SILENCE_S", 0.0)
    with pytest.raises(OperatorError, match="no answer"):
        lecture.run(load_settings("local"), video, quiet(), tenant_id=1)


def test_an_environment_that_is_not_deployed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OperatorError, match="/academy/dev/workers/env/API_BASE_URL"):
        load_access(load_settings("dev"))


def test_no_secret_is_in_a_representation_or_an_error(api: FakeApi) -> None:
    access = load_access(load_settings("local"))
    assert (access.operator_token, access.internal_key) == (TOKEN, KEY)
    assert TOKEN not in repr(access)
    assert KEY not in repr(access)

    refused = Api(Access(api.url, "wrong-Ef56", KEY), tenant_id=1)
    with pytest.raises(OperatorError) as caught:
        refused.progress(VIDEO_ID)
    assert "401" in str(caught.value)
    assert "wrong-Ef56" not in str(caught.value)


def test_the_last_published_backlog_is_found_by_its_documented_dimensions() -> None:
    assert facts.backlog(load_settings("local")) is None
    cloudwatch = boto3.client("cloudwatch", region_name=REGION)
    dimensions = metrics.backlog_dimension_sets("local")[0]
    cloudwatch.put_metric_data(
        Namespace=metrics.VIDEO_NAMESPACE,
        MetricData=[
            {
                "MetricName": metrics.BACKLOG_COUNT,
                "Dimensions": [{"Name": n, "Value": v} for n, v in dimensions.items()],
                "Value": 4.0,
            }
        ],
    )
    found = facts.backlog(load_settings("local"))
    assert found is not None
    assert found.value == 4


def test_status_shows_queues_fleets_and_jobs() -> None:
    sqs = boto3.client("sqs", region_name=REGION)
    url = sqs.get_queue_url(QueueName="academy-video-jobs")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")

    shown = CliRunner().invoke(app, ["status", "local", "--json"])

    found = json.loads(shown.stdout)
    queue = next(each for each in found["queues"] if each["name"] == "academy-video-jobs")
    assert (queue["visible"], queue["in_flight"], queue["dead"]) == (1, 0, 0)
    assert found["fleets"][0]["maximum"] == 3
    assert found["jobs"] == {"video_backlog": 2.0}
    assert found["metric"] is None
    status.show(found, quiet())


def test_status_says_when_the_api_does_not_answer(api: FakeApi) -> None:
    api.server.shutdown()
    api.server.server_close()
    shown = CliRunner().invoke(app, ["status", "local", "--json"])
    assert "error" in json.loads(shown.stdout)["jobs"]
