"""The native backstop: it adds workers when the metric function does not, and removes none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.contracts import metrics
from config.contracts.names import worker_group_name
from config.contracts.queues import BY_KEY
from config.settings import load_settings
from local.control.metric_math import evaluate
from local.services.autoscaling.model import IN_SERVICE, Activity, Group, Member
from local.services.autoscaling.sizing import by_steps, step_of
from stacks.constructs.backstop import steps
from tests.conftest import Templates
from tests.templates import only, resources

POLICY = "AWS::AutoScaling::ScalingPolicy"
#: Most steps that a policy may have.
#: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html
MOST_STEPS = 20


def backstop(templates: Templates, kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a fleet's backstop: the alarm's properties and the policy's."""
    [(name, policy)] = resources(templates[kind], POLICY).items()
    [alarm] = [
        each["Properties"]
        for each in resources(templates[kind], "AWS::CloudWatch::Alarm").values()
        if {"Ref": name} in each["Properties"]["AlarmActions"]
    ]
    return alarm, policy["Properties"]


def waiting(alarm: dict[str, Any], **points: float | None) -> float | None:
    """Return what an alarm makes of one minute; metrics that are not given are missing."""
    [expression] = [each["Expression"] for each in alarm["Metrics"] if "Expression" in each]
    names = [each["Id"] for each in alarm["Metrics"] if "MetricStat" in each]
    assert set(points) <= set(names)
    return evaluate(expression, {name: [points.get(name)] for name in names}, 1)[0]


def test_every_fleet_has_one_and_it_looks_at_all_its_queues(
    templates: Templates, environment: str
) -> None:
    for kind, worker in load_settings(environment).workers.items():
        alarm, _ = backstop(templates, kind)
        seen = {
            (stat["Metric"]["MetricName"], each["Value"])
            for found in alarm["Metrics"]
            if (stat := found.get("MetricStat"))
            for each in stat["Metric"]["Dimensions"]
        }
        queues = {BY_KEY[key].physical(environment) for key in worker.queues}
        assert {("ApproximateNumberOfMessagesVisible", name) for name in queues} <= seen
        assert ("GroupDesiredCapacity", worker_group_name(environment, kind)) in seen
        signal = metrics.BACKLOG_COUNT if kind == "video" else metrics.QUEUE_DEPTH
        assert signal in {name for name, _ in seen}
        assert alarm["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize("kind", ["video", "ai", "messaging"])
def test_while_the_function_is_silent_the_visible_messages_count(
    prod: Templates, kind: str
) -> None:
    alarm, _ = backstop(prod, kind)
    queues = load_settings("prod").workers[kind].queues
    assert waiting(alarm) == 0
    for index in range(len(queues)):
        assert waiting(alarm, **{f"visible{index}": 7}) == 7
    everywhere = {f"visible{index}": 7.0 for index in range(len(queues))}
    assert waiting(alarm, **everywhere) == 7 * len(queues)
    assert waiting(alarm, **everywhere, asked=3, breaker=0) == 7 * len(queues)


@pytest.mark.parametrize("kind", ["video", "ai", "messaging"])
def test_while_it_speaks_only_jobs_for_which_nobody_was_asked_count(
    prod: Templates, kind: str
) -> None:
    alarm, _ = backstop(prod, kind)
    assert waiting(alarm, signal=4, asked=0) == 4
    assert waiting(alarm, signal=4, asked=0, breaker=0) == 4
    assert waiting(alarm, signal=0, asked=0, visible0=9) == 0
    assert waiting(alarm, signal=4, asked=1) == 0
    # What Auto Scaling has not told yet is no reason to add.
    assert waiting(alarm, signal=4) == 0
    # An open breaker asks for nobody on purpose.
    assert waiting(alarm, signal=4, asked=0, breaker=1) == 0


@given(slots=st.integers(1, 50), maximum=st.integers(1, 100), jobs=st.integers(1, 100_000))
def test_a_step_adds_between_half_and_all_of_the_workers_that_the_jobs_fill(
    slots: int, maximum: int, jobs: int
) -> None:
    made = list(steps(slots, maximum))
    assert len(made) <= MOST_STEPS
    [added] = [
        workers
        for lower, upper, workers in made
        if lower <= jobs and (upper is None or jobs < upper)
    ]
    assert 1 <= added <= maximum
    assert added == 1 or added * slots <= jobs
    assert jobs < 2 * added * slots or 2 * added > maximum


@pytest.mark.parametrize("kind", ["video", "ai", "messaging"])
@given(jobs=st.integers(0, 10_000), sizes=st.tuples(*[st.integers(0, 20)] * 3))
def test_whatever_it_is_told_it_removes_nobody_and_adds_within_the_limit(
    assemblies: Callable[[str], Templates], kind: str, jobs: int, sizes: tuple[int, int, int]
) -> None:
    prod = assemblies("prod")
    _, policy = backstop(prod, kind)
    maximum = int(only(prod[kind], "AWS::AutoScaling::AutoScalingGroup")["MaxSize"])
    before = group_of(*sizes, maximum)
    after = by_steps(before, policy, float(jobs), now=1000.0)
    assert before.desired <= after <= maximum
    if jobs and sizes[1:] == (0, 0) and before.desired < maximum:
        added = step_of(policy, float(jobs)) or 0
        assert after == min(maximum, before.desired + added) > before.desired


def test_what_it_added_is_not_added_again_while_it_boots(prod: Templates) -> None:
    _, policy = backstop(prod, "video")
    assert by_steps(group_of(0, 0, 0, 20), policy, 5.0, now=1000.0) == 4
    assert by_steps(group_of(0, 4, 0, 20), policy, 5.0, now=1000.0) == 4
    assert by_steps(group_of(4, 0, 0, 20), policy, 5.0, now=1000.0) == 8


def group_of(busy: int, booting: int, extra: int, maximum: int) -> Group:
    """Return a group at 1000 s: warm instances, fresh ones, and `extra` not launched yet."""
    desired = min(maximum, busy + booting + extra)
    group = Group("g", "arn", {}, 0, maximum, desired, created_at=0.0)
    ages = ([1.0] * busy + [999.0] * booting)[:desired]
    for index, since in enumerate(ages):
        member = Member(
            instance_id=f"i-{index}",
            zone="a",
            instance_type="c7g.xlarge",
            image_id="ami",
            template={},
            launched_at=since,
            protected=True,
            activity=Activity("g", "", "", since),
            state=IN_SERVICE,
            in_service_at=since,
        )
        group.members[member.instance_id] = member
    return group
