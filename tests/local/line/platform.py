"""A running platform for the end-to-end tests, driven by the same commands that a user runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import boto3
import psycopg
import requests

ROOT = Path(__file__).parents[3]
VIDEO_GROUP = "academy-video-worker-asg"
VIDEO_QUEUE = "academy-video-jobs"
#: What lies in it stays: no worker receives from a dead-letter queue.
UNRECEIVED = "academy-ai-jobs-lite-dlq"
#: The CLI asks nobody and shows no news.
UNATTENDED = ("--require-approval", "never", "--no-notices")
T = TypeVar("T")


def run(*arguments: str, env: dict[str, str], check: bool = True) -> subprocess.CompletedProcess:
    """Run a command of the repo with its output captured; a failure shows that output."""
    done = subprocess.run(
        arguments, cwd=ROOT, env=env, capture_output=True, text=True, timeout=600, check=False
    )
    if check and done.returncode != 0:
        raise AssertionError(f"{arguments} exited {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def wait_for(what: str, probe: Callable[[], T | None], *, within_s: float = 180) -> T:
    """Poll until `probe` answers something; fail with `what` when it does not in time."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        found = probe()
        if found:
            return found
        time.sleep(0.5)
    raise AssertionError(f"not within {within_s} s: {what}")


@dataclass(frozen=True)
class Platform:
    """The embedded AWS of one state directory, with every local stack deployed into it."""

    state: Path
    env: dict[str, str]
    assembly: Path

    @cached_property
    def address(self) -> dict[str, str]:
        """What `make env` exports, as a mapping."""
        return json.loads(self.local("env", "--json").stdout)

    @cached_property
    def image_tag(self) -> str:
        """Return the tag of the images that the platform was deployed with: their digest."""
        tags = [path.name for path in self.state.glob("images/academy-api/*")]
        [built] = [tag for tag in tags if re.fullmatch("[0-9a-f]+", tag)]
        return built

    def local(self, *arguments: str) -> subprocess.CompletedProcess:
        return run(sys.executable, "-m", "local", *arguments, env=self.env)

    def ops(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
        return run(sys.executable, "-m", "ops", *arguments, env=self.env, check=check)

    def cdk(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
        """Run the unmodified CDK CLI against the embedded AWS."""
        cli = str(ROOT / "node_modules" / ".bin" / "cdk")
        return run(cli, *arguments, env=self.env, check=check)

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.address["AWS_ENDPOINT_URL"],
            region_name="ap-northeast-2",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    @cached_property
    def queue_url(self) -> str:
        return self.client("sqs").get_queue_url(QueueName=VIDEO_QUEUE)["QueueUrl"]

    @cached_property
    def headers(self) -> dict[str, str]:
        """Return the headers of a member of the staff of academy 1."""
        parameter = self.client("ssm").get_parameter(Name="/academy/api/env/OPERATOR_API_TOKEN")
        arn = parameter["Parameter"]["Value"].removeprefix("secretsmanager:").partition("#")[0]
        token = self.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
        return {"Authorization": f"Bearer {token}", "X-Tenant-Id": "1"}

    def api(self, method: str, path: str, **options: Any) -> requests.Response:
        url = f"{self.address['API_BASE_URL']}{path}"
        return requests.request(method, url, headers=self.headers, timeout=30, **options)

    def upload(self, source: Path) -> int:
        """Upload a file as a browser would and return the new video's id."""
        answer = self.api(
            "POST",
            "/api/v1/media/videos/upload/init/",
            json={"title": source.stem, "filename": source.name, "content_type": "video/mp4"},
        )
        assert answer.status_code == 201, answer.text
        body = answer.json()
        put = requests.put(
            body["upload_url"],
            data=source.read_bytes(),
            headers={"Content-Type": body["content_type"]},
            timeout=30,
        )
        assert put.status_code == 200, put.text
        return int(body["video"]["id"])

    def complete(self, video: int) -> requests.Response:
        return self.api("POST", f"/api/v1/media/videos/{video}/upload/complete/")

    def progress(self, video: int) -> dict[str, Any]:
        answer = self.api("GET", f"/api/v1/media/videos/{video}/progress/")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ended(self, video: int, *, within_s: float = 180) -> dict[str, Any]:
        """Wait until a video is READY or FAILED and return its progress answer."""

        def probe() -> dict[str, Any] | None:
            found = self.progress(video)
            return found if found["status"] in {"READY", "FAILED"} else None

        return wait_for(f"video {video} ends", probe, within_s=within_s)

    def group(self) -> dict[str, Any]:
        found = self.client("autoscaling").describe_auto_scaling_groups(
            AutoScalingGroupNames=[VIDEO_GROUP]
        )
        return found["AutoScalingGroups"][0]

    def set_fault(self, service: str, *, down: bool) -> None:
        url = f"{self.address['AWS_ENDPOINT_URL']}/_local/faults"
        requests.post(url, json={"service": service, "down": down}, timeout=10).raise_for_status()

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.address["DATABASE_URL"]) as connection:
            return connection.execute(query, values).fetchall()

    def queue_counts(self, url: str | None = None) -> dict[str, int]:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.client("sqs").get_queue_attributes(
            QueueUrl=url or self.queue_url, AttributeNames=names
        )
        return {name: int(value) for name, value in found["Attributes"].items()}


def environment(state: Path) -> dict[str, str]:
    """Return the environment of a user at a terminal whose state lies in `state`."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, "PATH": path, "ACADEMY_LOCAL_DIR": str(state), "NO_COLOR": "1"}
