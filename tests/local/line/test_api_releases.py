"""A release of the API that is no good goes back by itself; its configuration follows the store."""

from __future__ import annotations

import json
import shutil
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.local.line.assemblies import changed_assembly
from tests.local.line.platform import UNATTENDED, Platform, wait_for

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(600)]
API = "academy-local-api"
HEALTHY = 'return HttpResponse("ok", content_type="text/plain")'
ROUTED = 'if request.path in ("/healthz", "/healthz/"):'


def broken_image(platform: Platform, tag: str, old: str, new: str) -> None:
    """Make an image of the API in which one line of the middleware is another."""
    images = platform.state / "images/academy-api"
    shutil.copytree(images / platform.image_tag, images / tag)
    middleware = images / tag / "rootfs/app/worker_images/api/middleware.py"
    text = middleware.read_text()
    assert old in text
    middleware.write_text(text.replace(old, new))
    for compiled in middleware.parent.glob("__pycache__/middleware.*"):
        compiled.unlink()


def release(
    platform: Platform,
    target: Path,
    tag: str,
    edits: Mapping[str, str],
    errors_alarm: Mapping[str, Any],
) -> Path:
    """Return an assembly that runs image `tag`, with edits of its script and its alarm."""
    replaced = {f":{platform.image_tag}": f":{tag}", **edits}

    def change(resources: dict[str, Any]) -> None:
        for resource in resources.values():
            if resource["Type"] == "AWS::EC2::LaunchTemplate":
                text = json.dumps(resource["Properties"])
                for old, new in replaced.items():
                    assert old in text
                    text = text.replace(old, new)
                resource["Properties"] = json.loads(text)
            if resource.get("Properties", {}).get("MetricName") == "HTTPCode_Target_5XX_Count":
                resource["Properties"] |= errors_alarm

    return changed_assembly(platform.assembly, target, change, stack=API)


@contextmanager
def requested(platform: Platform, path: str) -> Iterator[Counter[int]]:
    """Ask for a path of the API again and again, and count the answers by status."""
    found: Counter[int] = Counter()
    stopping = threading.Event()

    def ask() -> None:
        while not stopping.wait(0.1):
            url = f"{platform.address['API_BASE_URL']}{path}"
            found[requests.get(url, timeout=20).status_code] += 1

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield found
    finally:
        stopping.set()
        thread.join()


def instances(platform: Platform) -> list[str]:
    groups = platform.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    [group] = [g for g in groups if g["AutoScalingGroupName"].startswith(API)]
    return sorted(each["InstanceId"] for each in group["Instances"])


def deploy_fails(platform: Platform, assembly: Path) -> str:
    """Deploy the API's stack, see that it was rolled back, and return what the CLI said."""
    answer = platform.cdk(
        "deploy", API, "--app", str(assembly), "--exclusively", *UNATTENDED, check=False
    )
    assert answer.returncode != 0
    [stack] = platform.client("cloudformation").describe_stacks(StackName=API)["Stacks"]
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    return answer.stdout + answer.stderr


def told(platform: Platform, stream: str) -> str:
    """Return what instances wrote to their log streams of a kind (`boot`, `refresh`)."""
    logs = platform.client("logs")
    groups = [g["logGroupName"] for g in logs.describe_log_groups()["logGroups"]]
    lines = []
    for group in [name for name in groups if name.startswith(API)]:
        for found in logs.describe_log_streams(logGroupName=group)["logStreams"]:
            if found["logStreamName"].startswith(f"{stream}/"):
                events = logs.get_log_events(
                    logGroupName=group, logStreamName=found["logStreamName"]
                )["events"]
                lines += [event["message"] for event in events]
    return "\n".join(lines)


def test_a_release_that_never_gets_healthy_goes_back_and_the_old_one_serves_throughout(
    platform: Platform, tmp_path: Path
) -> None:
    broken_image(platform, "never-healthy", HEALTHY, "return HttpResponse(status=503)")
    bad = release(platform, tmp_path / "sick", "never-healthy", {"-lt 180": "-lt 25"}, {})
    before = instances(platform)
    with requested(platform, "/healthz") as answers:
        said = deploy_fails(platform, bad)
    assert "FAILURE signal" in said
    assert "not healthy within" in told(platform, "boot")
    assert set(answers) == {200}
    wait_for("the old instance is alone again", lambda: instances(platform) == before)


def test_a_release_whose_errors_set_off_an_alarm_while_it_bakes_goes_back(
    platform: Platform, tmp_path: Path
) -> None:
    failing = 'if request.path == "/boom": return HttpResponse(status=500)\n        ' + ROUTED
    broken_image(platform, "answers-500", ROUTED, failing)
    bad = release(
        platform,
        tmp_path / "answers-500",
        "answers-500",
        {"SECONDS + 15": "SECONDS + 240"},
        {"Threshold": 0, "EvaluationPeriods": 1},
    )
    before = instances(platform)
    with requested(platform, "/boom") as answers:
        deploy_fails(platform, bad)
    assert answers[500] > 0
    assert "went off" in told(platform, "boot")
    wait_for("the old instance is alone again", lambda: instances(platform) == before)


def container(platform: Platform, instance: str, name: str) -> dict[str, Any]:
    path = platform.state / f"instances/{instance}/containers/{name}.json"
    return json.loads(path.read_text()) if path.exists() else {"id": None}


def variable(platform: Platform, instance: str, name: str) -> str:
    """Return a variable that a running API process really has."""
    pid = container(platform, instance, "academy-api")["process"]["pid"]
    pairs = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return dict(pair.partition("=")[::2] for pair in pairs)[name]


def test_changed_parameters_make_the_containers_anew_and_missing_ones_are_refused(
    platform: Platform,
) -> None:
    [instance] = instances(platform)
    ssm = platform.client("ssm")
    path = "/academy/api/env/VIDEO_ATTEMPTS"
    former = ssm.get_parameter(Name=path)["Parameter"]["Value"]

    def ids() -> list[str | None]:
        names = ("academy-api", "academy-api-outbox")
        return [container(platform, instance, name)["id"] for name in names]

    def renewed(before: list[str | None]) -> bool:
        return None not in ids() and not set(ids()) & set(before)

    first = ids()
    ssm.put_parameter(Name=path, Value="7", Overwrite=True)
    wait_for("new containers", lambda: renewed(first), within_s=80)
    assert variable(platform, instance, "VIDEO_ATTEMPTS") == "7"

    second = ids()
    ssm.delete_parameter(Name=path)
    wait_for("the refusal", lambda: "VIDEO_ATTEMPTS" in told(platform, "refresh"), within_s=80)
    assert "ERROR configuration refused, the one in use stays" in told(platform, "refresh")
    assert ids() == second

    ssm.put_parameter(Name=path, Value=former, Type="String")
    wait_for("containers as before", lambda: renewed(second), within_s=80)
    wait_for("the API", lambda: platform.api("GET", "/health").status_code == 200)
