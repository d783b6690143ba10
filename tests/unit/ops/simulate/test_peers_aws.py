"""The arithmetic of target tracking, step scaling and ecs-patterns, as AWS documents it."""

from __future__ import annotations

import pytest

from ops.simulate.peers.ecs_patterns import EcsPatterns
from ops.simulate.peers.step_scaling import STEPS, LargeSteps, step
from ops.simulate.peers.target_tracking import TargetTracking, proportional
from tests.unit.ops.simulate.peer_views import answers, view


def tracking(*, in_flight: bool = False, target: float = 1.0) -> TargetTracking:
    return TargetTracking("tracking", protected=True, in_flight=in_flight, target=target)


@pytest.mark.parametrize(
    ("instances", "value", "target", "wanted"),
    [
        # docs.aws.amazon.com/autoscaling/ec2/userguide/as-using-sqs-queue.html: 1500 messages for
        # 10 instances that should have 100 each: five more.
        (10, 150.0, 100.0, 15),
        (10, 100.0, 100.0, 10),
        (10, 0.0, 100.0, 0),
        (1, 1.0, 1.0, 1),
        (1, 7.0, 1.0, 7),
        (3, 1 / 3, 1.0, 1),
        (3, 1 / 3 + 0.01, 1.0, 2),
    ],
)
def test_capacity_follows_a_metric_in_proportion(
    instances: int, value: float, target: float, wanted: int
) -> None:
    assert proportional(instances, value, target) == wanted


def test_the_third_minute_above_the_target_adds_what_is_missing() -> None:
    assert answers(tracking(target=100), [1500] * 3, desired=10) == [None, None, 15]


def test_a_lone_message_never_wakes_a_fleet_tracked_at_one_each() -> None:
    assert answers(tracking(), [1] * 600) == [None] * 600


def test_two_messages_wake_an_empty_fleet() -> None:
    assert answers(tracking(), [2] * 3) == [None, None, 2]


def test_a_minute_at_the_target_begins_the_count_anew() -> None:
    assert answers(tracking(), [2, 2, 1, 2, 2], desired=1) == [None] * 5


def test_what_boots_is_part_of_what_is_asked_for() -> None:
    assert answers(tracking(), [4] * 4, desired=4, booting=3) == [None] * 4
    assert answers(tracking(), [5] * 3, desired=4, booting=3) == [None, None, 5]


def test_fifteen_minutes_without_a_message_empty_the_fleet_though_it_works() -> None:
    found = answers(tracking(), [0] * 15, desired=4, running=4)
    assert found == [None] * 14 + [0]


def test_what_is_in_flight_holds_the_fleet_where_it_is_counted() -> None:
    counted = tracking(in_flight=True)
    assert answers(counted, [0] * 20, desired=4, running=4) == [None] * 20
    # A metric above 0.9 of its target is not low: 19 of 20 stay, 18 would be one too many.
    assert answers(tracking(in_flight=True), [0] * 20, desired=20, running=19) == [None] * 20
    assert answers(tracking(in_flight=True), [0] * 15, desired=20, running=17)[-1] == 17


def test_nothing_is_taken_away_while_anything_boots() -> None:
    assert answers(tracking(), [0] * 20, desired=4, booting=1) == [None] * 20


def test_the_metric_is_divided_by_the_instances_of_its_own_minute() -> None:
    policy = tracking()
    for minute in range(3):
        assert policy.decide(view(60.0 * minute, waiting=4, desired=4)) is None
    # Shown a minute late: these 4 waited for the 4 that have ended since.
    assert policy.decide(view(180.0, waiting=4, desired=1)) is None


def test_a_late_metric_is_not_multiplied_by_instances_that_it_was_not_divided_by() -> None:
    policy = tracking()
    assert answers(policy, [8] * 3) == [None, None, 8]
    for minute in (3, 4):
        assert policy.decide(view(60.0 * minute, waiting=8, desired=8, booting=8)) is None
    assert policy.decide(view(300.0, waiting=8, desired=8)) is None


@pytest.mark.parametrize(
    ("visible", "change"),
    [(0, 0), (1, 1), (4, 3), (5, 5), (9, 5), (10, 10), (199, 100), (200, 200), (10_000, 200)],
)
def test_a_step_begins_at_its_lower_bound(visible: int, change: int) -> None:
    assert step(STEPS, visible) == change


def test_one_datapoint_adds_a_step_once_while_it_boots() -> None:
    policy = LargeSteps("steps", protected=True)
    assert policy.decide(view(0, waiting=6)) == 5
    assert policy.decide(view(60, waiting=6, desired=5, booting=5)) is None
    assert policy.decide(view(120, waiting=12, desired=5, booting=5)) == 10


def test_steps_go_down_by_one_each_minute_after_fifteen_empty_ones() -> None:
    policy = LargeSteps("steps", protected=True)
    assert answers(policy, [0] * 16, desired=3) == [None] * 14 + [2, 2]
    assert answers(LargeSteps("steps", protected=True), [0] * 16) == [None] * 16


def ecs() -> EcsPatterns:
    return EcsPatterns("ecs", slots=1)


def test_the_pattern_keeps_one_task() -> None:
    assert ecs().decide(view(0)) == 1
    assert answers(ecs(), [0] * 20, desired=1) == [None] * 20


@pytest.mark.parametrize(
    ("visible", "wanted"), [(1, None), (99, None), (100, 3), (499, 3), (500, 7), (9999, 7)]
)
def test_the_pattern_adds_by_its_default_steps(visible: int, wanted: int | None) -> None:
    assert ecs().decide(view(0, waiting=visible, desired=2)) == wanted


def test_a_step_larger_than_that_of_the_cooldown_adds_the_difference() -> None:
    policy = ecs()
    assert policy.decide(view(0, waiting=100, desired=2, running=2)) == 3
    assert policy.decide(view(60, waiting=120, desired=3, running=2)) is None
    assert policy.decide(view(120, waiting=600, desired=3, running=2)) == 7
    assert policy.decide(view(420, waiting=600, desired=7, running=2)) == 12


def test_a_queue_without_a_visible_message_loses_a_task_each_cooldown() -> None:
    found = answers(ecs(), [0] * 6, desired=4, running=2)
    assert found == [3, None, None, None, None, 3]


def test_a_message_within_five_minutes_keeps_the_tasks() -> None:
    found = answers(ecs(), [1, 0, 0, 0, 0, 0], desired=4, running=2)
    assert found == [None] * 5 + [3]


def test_one_task_at_work_is_doubled_for_its_cpu() -> None:
    found = answers(ecs(), [1] * 4, desired=1, running=1)
    assert found == [None, None, 2, None]


def test_half_of_the_cpu_is_the_target() -> None:
    assert answers(ecs(), [1] * 20, desired=2, running=1) == [None] * 20
