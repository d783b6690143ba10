"""The video fleet comes from zero with a burst, goes back to it, and a deploy rolls through it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.local.line import fleets
from tests.local.line.assemblies import changed_assembly
from tests.local.line.platform import UNATTENDED, VIDEO_GROUP, Platform, wait_for

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(900)]
BURST = 20
VIDEO = "academy-local-video"
NEW_TAG = "rolled"


def test_a_burst_takes_the_fleet_from_zero_to_its_maximum_and_back(
    platform: Platform, short: Path
) -> None:
    wait_for("the fleet is empty", lambda: fleets.empty(platform))
    videos = [platform.upload(short) for _ in range(BURST)]
    with fleets.watched(platform) as seen:
        for video in videos:
            assert platform.complete(video).status_code == 200
        states = {video: platform.ended(video)["status"] for video in videos}
        wait_for("the fleet is empty again", lambda: fleets.empty(platform), within_s=120)
    assert states == dict.fromkeys(videos, "READY")
    assert all(desired <= maximum for desired, maximum in seen.sizes)
    [maximum] = {maximum for _, maximum in seen.sizes}
    assert max(seen.desired) == maximum

    done = fleets.runs(platform, fleets.jobs_of(platform, videos))
    assert sorted(run.job_id for run in done) == sorted(fleets.jobs_of(platform, videos))
    assert {run.attempt for run in done} == {1}
    assert {run.instance for run in done} <= set(fleets.ended(platform))
    assert fleets.ended_while_busy(platform, done) == []


def release(platform: Platform, target: Path, tag: str, *, size: int) -> Path:
    """Return an assembly whose video fleet runs image `tag` and always has `size` instances."""
    current = platform.image_tag

    def change(resources: dict[str, Any]) -> None:
        for resource in resources.values():
            properties = resource.get("Properties", {})
            if resource["Type"] == "AWS::AutoScaling::AutoScalingGroup":
                properties |= {"MinSize": str(size), "MaxSize": str(size)}
            if resource["Type"] == "AWS::EC2::LaunchTemplate":
                text = json.dumps(properties)
                assert f":{current}" in text
                resource["Properties"] = json.loads(text.replace(f":{current}", f":{tag}"))

    return changed_assembly(platform.assembly, target, change, stack=VIDEO)


def deploy(platform: Platform, assembly: Path) -> None:
    platform.cdk("deploy", VIDEO, "--app", str(assembly), "--exclusively", *UNATTENDED)


@pytest.fixture
def as_before(platform: Platform) -> Iterator[None]:
    """The fleet is empty before, and empty and as it was deployed at first afterwards."""
    wait_for("the fleet is empty", lambda: fleets.empty(platform))
    yield
    platform.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=VIDEO_GROUP, MinSize=0
    )
    wait_for("the fleet is empty", lambda: fleets.empty(platform), within_s=240)
    deploy(platform, platform.assembly)


@pytest.mark.usefixtures("as_before")
@pytest.mark.parametrize("busy", [2, pytest.param(5, marks=pytest.mark.proof)])
def test_a_deploy_replaces_idle_workers_at_once_and_busy_ones_after_their_job(
    platform: Platform, short: Path, long: Path, tmp_path: Path, busy: int
) -> None:
    size, images = busy + 1, platform.state / "images/academy-video-worker"
    shutil.copytree(images / platform.image_tag, images / NEW_TAG, dirs_exist_ok=True)
    deploy(platform, release(platform, tmp_path / "old", platform.image_tag, size=size))
    wait_for("all workers wait", lambda: len(fleets.in_state(platform, "idle")) == size)
    old = fleets.instances(platform)
    videos = [platform.upload(long) for _ in range(busy)]
    for video in videos:
        assert platform.complete(video).status_code == 200
    with fleets.watched(platform) as seen:
        with fleets.held(platform, busy):
            wait_for("they say so", lambda: len(fleets.in_state(platform, "busy")) == busy)
            [idle] = fleets.in_state(platform, "idle")
            deploy(platform, release(platform, tmp_path / "new", NEW_TAG, size=size))
            wait_for("it is replaced", lambda: replaced(platform, {idle}, size))
            late = platform.upload(short)
            assert platform.complete(late).status_code == 200
            assert platform.ended(late)["status"] == "READY"
            assert {*old} - {idle} <= {*fleets.instances(platform)}
        states = {video: platform.ended(video)["status"] for video in videos}
        wait_for("all are replaced", lambda: replaced(platform, {*old}, size))
        tags = {fleets.running_tag(platform, each) for each in fleets.instances(platform)}
    assert states == dict.fromkeys(videos, "READY")
    assert seen.desired == {size}
    assert tags == {NEW_TAG}

    done = fleets.runs(platform, fleets.jobs_of(platform, videos))
    assert len(done) == busy
    assert {run.attempt for run in done} == {1}
    assert {run.instance for run in done} == {*old} - {idle}
    [new] = fleets.runs(platform, fleets.jobs_of(platform, [late]))
    assert seen.templates[new.instance] not in old.values()
    assert fleets.ended_while_busy(platform, [*done, new]) == []


def replaced(platform: Platform, old: set[str], size: int) -> bool:
    """Whether the fleet is whole again without these instances, all of its workers at work."""
    found = {*fleets.instances(platform)}
    return len(found) == size and not old & found and found <= {*fleets.workers(platform)}
