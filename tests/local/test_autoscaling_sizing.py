"""The arithmetic of groups and policies, on its own."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from local.services.autoscaling.model import IN_SERVICE, Activity, Group, Member
from local.services.autoscaling.sizing import (
    adjusted,
    by_steps,
    on_spot,
    step_of,
    to_end,
    to_launch,
)

NOW = 10_000.0


def member(number: int, **values: Any) -> Member:
    defaults: dict[str, Any] = {
        "instance_id": f"i-{number}",
        "zone": "a",
        "instance_type": "t",
        "image_id": "ami",
        "template": {"Version": "1"},
        "launched_at": float(number),
        "protected": False,
        "activity": Activity("g", "", "", 0),
        "state": IN_SERVICE,
        "in_service_at": float(number),
    }
    return Member(**{**defaults, **values})


def group(*members: Member, desired: int, minimum: int = 0, maximum: int = 10) -> Group:
    made = Group("g", "arn", {}, minimum, maximum, desired, 0)
    made.members = {one.instance_id: one for one in members}
    return made


@pytest.mark.parametrize(
    ("size", "kind", "amount", "magnitude", "result"),
    [
        (3, "ChangeInCapacity", 2, None, 5),
        (3, "ChangeInCapacity", -5, None, -2),
        (3, "ExactCapacity", 7, None, 7),
        (10, "PercentChangeInCapacity", 15, None, 11),
        (10, "PercentChangeInCapacity", -15, None, 9),
        (3, "PercentChangeInCapacity", 10, None, 4),
        (3, "PercentChangeInCapacity", -10, None, 2),
        (10, "PercentChangeInCapacity", 10, 3, 13),
        (0, "PercentChangeInCapacity", 100, None, 0),
    ],
)
def test_adjustments_are_rounded_as_documented(
    size: int, kind: str, amount: int, magnitude: int | None, result: int
) -> None:
    assert adjusted(size, kind, amount, magnitude) == result


@pytest.mark.parametrize(("breach", "amount"), [(-0.1, None), (0, 1), (9.9, 1), (10, 3), (1e9, 3)])
def test_a_step_holds_its_lower_bound_and_not_its_upper(breach: float, amount: int | None) -> None:
    steps = [
        {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 1},
        {"MetricIntervalLowerBound": 10, "ScalingAdjustment": 3},
    ]
    assert step_of({"StepAdjustments": steps}, breach) == amount


def policy(amount: int, kind: str = "ChangeInCapacity", warmup_s: int = 300) -> dict[str, Any]:
    return {
        "AdjustmentType": kind,
        "EstimatedInstanceWarmup": warmup_s,
        "StepAdjustments": [{"ScalingAdjustment": amount}],
    }


def test_capacity_that_is_still_booting_is_not_added_twice() -> None:
    booting = group(member(1), desired=3)
    assert by_steps(booting, policy(2), 1, NOW) == 3
    assert by_steps(booting, policy(4), 1, NOW) == 5


def test_nothing_is_removed_while_anything_boots() -> None:
    assert by_steps(group(member(1), desired=2), policy(-1), 1, NOW) == 2
    warm = group(member(1), member(2), desired=2)
    assert by_steps(warm, policy(-1), 1, NOW) == 1


@given(
    st.integers(0, 5),
    st.integers(0, 5),
    st.integers(-20, 20),
    st.sampled_from(["ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"]),
)
def test_a_policy_never_leaves_the_limits(low: int, more: int, amount: int, kind: str) -> None:
    limited = group(desired=low, minimum=low, maximum=low + more)
    assert low <= by_steps(limited, policy(amount, kind), 1, NOW) <= low + more


@given(st.lists(st.booleans(), max_size=8), st.integers(0, 8))
def test_scale_in_takes_no_protected_instance_and_no_more_than_the_surplus(
    protections: list[bool], desired: int
) -> None:
    members = [member(n, protected=p) for n, p in enumerate(protections)]
    ended = to_end(group(*members, desired=desired))
    assert not any(one.protected for one in ended)
    assert len(ended) == min(max(0, len(members) - desired), protections.count(False))


@pytest.mark.parametrize(
    ("order", "first"),
    [("OldestInstance", "i-1"), ("NewestInstance", "i-3"), ("Default", "i-2")],
)
def test_the_termination_policy_chooses(order: str, first: str) -> None:
    members = [
        member(1, template={"Version": "2"}),
        member(2),
        member(3, template={"Version": "2"}),
    ]
    shrinking = group(*members, desired=2)
    shrinking.settings["TerminationPolicies"] = [order]
    assert [one.instance_id for one in to_end(shrinking)] == [first]


@pytest.mark.parametrize(
    ("missing_for", "launches"), [({}, 2), ({"deleting": True}, 0), ({"launch_not_before": 1e9}, 0)]
)
def test_what_is_missing_is_launched_unless_something_forbids_it(
    missing_for: dict[str, Any], launches: int
) -> None:
    short = group(member(1), desired=3)
    for name, value in missing_for.items():
        setattr(short, name, value)
    assert to_launch(short, NOW) == launches


def test_the_on_demand_share_above_the_base_is_kept() -> None:
    mixed = group(desired=9)
    mixed.settings["MixedInstancesPolicy"] = {
        "InstancesDistribution": {
            "OnDemandBaseCapacity": 1,
            "OnDemandPercentageAboveBaseCapacity": 50,
        }
    }
    kinds = []
    for number in range(5):
        kinds.append(on_spot(mixed))
        mixed.members[f"i-{number}"] = member(number, spot=kinds[-1])
    assert kinds.count(False) == 3
    assert kinds[0] is False
