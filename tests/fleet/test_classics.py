"""What the trackers of other systems report again and again, replayed against this one.

Each test is the history of a public issue, played with the controller's own look, the group's own
operations and the workers' own protocol (tests.fleet.world). Every look is judged as well
(tests.fleet.checked): within the limits, never lower, never without data, no busy worker ended.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fleet.checked import Checked
from tests.fleet.machine import Machine
from tests.fleet.world import BOOT_S, CONTROLLER, TICK_S
from tests.unit.lambdas.metric_rules import rules
from worker_images.base.leaving import Event

HOUR_S = 3600.0


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(before)


def fleet(*, maximum: int = 8, idle_s: float = 60, **changed: Any) -> Checked:
    told = rules(start_within_s=0, boot_limit_s=60, probe_every_s=60, **changed)
    return Checked(told, maximum=maximum, idle_s=idle_s)


def busy(world: Checked) -> list[Machine]:
    return [machine for machine in world.machines.values() if machine.busy]


def raises(world: Checked) -> list[tuple[int, int]]:
    """Return from and to what the controller raised the fleet."""
    return [
        (call.desired, call.params["DesiredCapacity"])
        for call in world.calls
        if (call.by, call.name) == (CONTROLLER, "SetDesiredCapacity")
    ]


def test_a_lone_message_starts_a_worker_from_zero() -> None:
    """A queue of one message was below what the alarm looked for, and no worker ever came.

    https://github.com/aws/copilot-cli/issues/3376
    """
    world = fleet()
    world.pass_s(300)
    assert world.group.desired == 0
    world.send(60)
    world.pass_s(TICK_S)
    assert world.group.desired == 1
    world.pass_s(BOOT_S + 2 * TICK_S)
    assert len(busy(world)) == 1
    world.pass_s(300)
    assert (len(world.done), world.group.desired) == (1, 0)


def test_a_lone_message_starts_one_worker_once_and_keeps_it() -> None:
    """From zero, one rule took away what the other had added, for minutes.

    https://github.com/mapbox/ecs-watchbot/issues/261
    """
    world = fleet()
    world.send(200)
    world.pass_s(600)
    assert raises(world) == [(0, 1)]
    assert (len(world.launches), len(world.done)) == (1, 1)


def test_instances_that_boot_are_not_asked_for_again() -> None:
    """Between the launch and the agent's sign the scaler saw nobody, and asked again each time.

    https://github.com/buildkite/buildkite-agent-scaler/pull/46
    """
    world = fleet(maximum=50)
    for _ in range(5):
        world.send(600)
    world.pass_s(BOOT_S + 5 * TICK_S)
    assert raises(world) == [(0, 5)]
    assert len(world.launches) == 5


def test_jobs_that_nobody_can_start_yet_are_counted_once() -> None:
    """With no room for new workers the scaler made as many again at each poll.

    https://github.com/kedacore/keda/issues/1323
    """
    world = fleet(maximum=200)
    world.no_capacity = True
    for _ in range(100):
        world.send(60)
    world.pass_s(600)
    assert raises(world) == [(0, 100)]


@pytest.mark.parametrize("silent", ["api", "queues", "both"])
def test_missing_data_takes_nobody_away(silent: str) -> None:
    """A metric that could not be read counted as 0, and saturated workers looked free.

    https://github.com/llm-d/llm-d-autoscaling/issues/360
    """
    world = fleet()
    for _ in range(4):
        world.send(HOUR_S)
    world.pass_s(120)
    world.api_down = silent in ("api", "both")
    world.around.queues_down = silent in ("queues", "both")
    world.pass_s(HOUR_S / 2)
    assert world.group.desired == len(busy(world)) == 4
    assert len(world.launches) == 4
    world.api_down = world.around.queues_down = False
    world.pass_s(HOUR_S)
    assert (len(world.done), world.group.desired) == (4, 0)


def test_messages_in_flight_keep_their_workers() -> None:
    """Once the last message was received the queue looked empty, and its worker was ended.

    https://github.com/kedacore/keda/issues/1663
    """
    world = fleet(idle_s=20)
    world.api_down = True
    world.send(HOUR_S)
    world.pass_s(HOUR_S)
    assert world.waiting == []
    assert len(busy(world)) == 1
    world.pass_s(300)
    assert (len(world.done), len(world.launches)) == (1, 1)


@pytest.mark.parametrize("api_down", [False, True])
def test_running_jobs_count_when_another_one_waits(api_down: bool) -> None:
    """One ran, one waited, and one worker was thought to be enough.

    https://github.com/buildkite/buildkite-agent-scaler/issues/7
    """
    world = fleet()
    world.api_down = api_down
    world.send(HOUR_S)
    world.pass_s(120)
    world.send(60)
    world.pass_s(TICK_S)
    assert world.group.desired == 2


def test_a_worker_that_drains_is_not_counted_on() -> None:
    """A worker about to leave after a long job counted as free, and the next jobs waited for hours.

    https://github.com/buildkite/buildkite-agent-scaler/issues/39
    """
    world = fleet(slots=4)
    world.send(HOUR_S)
    world.pass_s(120)
    [leaving] = busy(world)
    leaving.notice(Event.REBALANCE)
    world.pass_s(2 * TICK_S)
    assert world.group.desired == 1
    for _ in range(3):
        world.send(60)
    world.pass_s(BOOT_S + 3 * TICK_S)
    assert world.waiting == []
    assert len(leaving.jobs) == 1


def test_a_smaller_fleet_loses_idle_workers_alone() -> None:
    """Work for three of four was left, and Auto Scaling ended a busy one.

    https://github.com/buildkite/elastic-ci-stack-for-aws/issues/1399
    """
    world = fleet()
    for _ in range(3):
        world.send(HOUR_S)
    world.send(60)
    world.pass_s(400)
    assert world.group.desired == len(busy(world)) == 3
    world.limit(0, 2)
    world.pass_s(HOUR_S)
    assert (len(world.done), len(world.launches)) == (4, 4)


def test_a_refresh_ends_no_busy_worker_and_a_deploy_reaches_all() -> None:
    """A deploy started an instance refresh, which ended workers in the midst of their jobs.

    https://github.com/cattle-ops/terraform-aws-gitlab-runner/issues/1375
    """
    world = fleet(idle_s=600)
    for work_s in (900, 900, 60, 60):
        world.send(work_s)
    world.pass_s(200)
    before = {machine.instance_id for machine in busy(world)}
    assert len(before) == 2
    world.deploy()
    world.operator.start_instance_refresh(
        AutoScalingGroupName=world.rules.group,
        Preferences={"ScaleInProtectedInstances": "Wait", "MinHealthyPercentage": 0},
    )
    world.pass_s(120)
    versions = {each.instance_id: each.template["Version"] for each in world.group.active}
    assert {versions.pop(each) for each in before} == {"1"}, "they finish on the old version"
    assert set(versions.values()) == {"2"}, "idle ones have been replaced"
    world.pass_s(1200)
    assert (len(world.done), world.waiting) == (4, [])


def test_protected_workers_do_not_block_a_deploy() -> None:
    """With every instance protected, a refresh waited for ever and nothing was replaced.

    https://github.com/buildkite/elastic-ci-stack-for-aws/issues/943
    """
    world = fleet(idle_s=HOUR_S)
    for _ in range(5):
        world.send(300)
    world.pass_s(120)
    world.deploy()
    world.pass_s(60)
    assert len(busy(world)) == 5
    world.pass_s(300)
    assert len(world.done) == 5
    assert {each.template["Version"] for each in world.group.active} == {"2"}
