"""The real loop and its real calls against the embedded AWS's Auto Scaling."""

from __future__ import annotations

from typing import Any

import pytest

from config.contracts.messages import VideoJob
from tests.unit.worker_base.bench import Bench
from tests.unit.worker_base.embedded_group import GROUP, EmbeddedGroup
from worker_images.base.lifecycle import InstanceLifecycle
from worker_images.base.work import Context, Result


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker_images.base.departure.PAUSES_S", (0.001,))


def worker(group: EmbeddedGroup) -> Bench:
    """A worker on the group's instance; its clock is the one that the group is asked by."""
    bench = Bench(lifecycle=group.lifecycle())  # type: ignore[arg-type]
    lifecycle: Any = bench.lifecycle
    assert isinstance(lifecycle, InstanceLifecycle)
    lifecycle.clock = bench.clock
    lifecycle.watch = lambda noticed: None  # type: ignore[method-assign]
    return bench


def own_protection(group: EmbeddedGroup, bench: Bench) -> bool:
    return group.active[str(bench.lifecycle.instance_id)].protected


def test_after_its_last_job_the_worker_and_its_place_go() -> None:
    group = EmbeddedGroup()
    bench = worker(group)
    job_id = bench.add_job()
    bench.consumer.run()
    group.tick()
    assert bench.row(job_id).state == "SUCCEEDED"
    assert (group.group.desired, group.active) == (0, {})


def test_at_the_minimum_it_stays_protected_and_takes_the_next_job() -> None:
    group = EmbeddedGroup(minimum=1)
    bench = worker(group)
    jobs: list[str] = []

    def handler(job: VideoJob, context: Context) -> Result:
        assert own_protection(group, bench)
        group.client.update_auto_scaling_group(AutoScalingGroupName=GROUP, MinSize=0)
        return Result()

    lifecycle: Any = bench.lifecycle
    call = lifecycle.call

    def calling(leave: Any) -> Any:
        answer = call(leave)
        if answer == "refused" and not jobs:
            jobs.append(bench.add_job())
        return answer

    lifecycle.call = calling
    bench.handler = handler
    bench.consumer.run()
    assert bench.row(jobs[0]).state == "SUCCEEDED"
    assert group.group.desired == 0


def test_a_deploy_in_the_middle_of_a_job_replaces_the_worker_after_it() -> None:
    group = EmbeddedGroup()
    bench = worker(group)
    first, second = bench.add_job(), bench.add_job()

    def handler(job: VideoJob, context: Context) -> Result:
        group.deploy()
        bench.clock.advance(600)
        return Result()

    bench.handler = handler
    bench.queue.visibility_timeout_s = 3600
    bench.consumer.run()
    group.tick()
    assert [bench.row(job).state for job in (first, second)] == ["SUCCEEDED", "QUEUED"]
    (successor,) = group.active.values()
    assert successor.template["Version"] == "2"
    assert successor.instance_id != bench.lifecycle.instance_id


def test_an_instance_too_many_goes_though_the_desired_capacity_is_the_minimum() -> None:
    group = EmbeddedGroup(minimum=0, desired=2)
    group.client.update_auto_scaling_group(AutoScalingGroupName=GROUP, DesiredCapacity=0)
    group.tick()
    assert len(group.active) == 2, "both are protected"
    worker(group).consumer.run()
    group.tick()
    assert (group.group.desired, len(group.active)) == (0, 1)


def test_a_worker_whose_instance_is_being_ended_takes_nothing() -> None:
    group = EmbeddedGroup()
    bench = worker(group)
    bench.add_job()
    group.client.terminate_instance_in_auto_scaling_group(
        InstanceId=str(bench.lifecycle.instance_id), ShouldDecrementDesiredCapacity=True
    )
    bench.consumer.run()
    assert [entry.receive_count for entry in bench.queue.entries] == [0]
