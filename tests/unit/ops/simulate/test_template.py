"""The fleet that is simulated is the one of the templates."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from config.settings import load_settings
from ops.cost.estate import Estate
from ops.cost.prices import load_prices
from ops.cost.usage import USAGE, read_usage
from ops.errors import OperatorError
from ops.simulate.fleet import Fleet, WarmPool
from ops.simulate.template import read_fleet

KINDS = ("video", "ai", "messaging")
SETTINGS = load_settings("prod")
USAGE_500 = read_usage(USAGE / "500.yaml")
Templates = dict[str, Any]


def read(templates: Templates, kind: str = "video") -> Fleet:
    return read_fleet(Estate(templates), SETTINGS, USAGE_500, kind)


def changed(templates: Templates, stack: str, type_name: str, **properties: Any) -> Templates:
    """Return templates whose only resource of a type in a stack has other properties."""
    made = copy.deepcopy(templates)
    (found,) = [each for each in made[stack]["Resources"].values() if each["Type"] == type_name]
    found["Properties"].update(properties)
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_rules_limits_and_workers_are_those_of_the_environment(prod: Templates, kind: str) -> None:
    fleet, worker = read(prod, kind), SETTINGS.workers[kind]  # type: ignore[index]
    assert (fleet.minimum, fleet.maximum) == (worker.min_instances, worker.max_instances)
    assert fleet.rules.kind == kind
    assert fleet.rules.slots == worker.concurrency
    assert fleet.rules.boot_s == worker.boot_s
    assert fleet.tick_s == SETTINGS.scaling.tick_s
    assert (fleet.idle_s, fleet.checkpoint_s) == (worker.idle_s, worker.checkpoint_s)
    assert fleet.visibility_s == SETTINGS.queues[worker.queues[0]].visibility_timeout_s
    assert fleet.max_receives > SETTINGS.queues[worker.queues[0]].attempts


@pytest.mark.parametrize("kind", KINDS)
def test_the_backstop_is_the_step_policy_of_the_group(prod: Templates, kind: str) -> None:
    fleet = read(prod, kind)
    assert fleet.backstop is not None
    assert fleet.backstop.warm_up_s == fleet.rules.boot_s
    lowers, added = zip(*fleet.backstop.steps, strict=True)
    assert (lowers[0], added[0]) == (0, 1)
    assert list(lowers) == sorted(lowers) and list(added) == sorted(added)


def test_the_limits_read_are_the_templates_own(prod: Templates) -> None:
    other = changed(prod, "video", "AWS::AutoScaling::AutoScalingGroup", MinSize="3", MaxSize="77")
    assert (read(other).minimum, read(other).maximum) == (3, 77)


def test_an_hour_costs_instance_disks_and_address(prod: Templates) -> None:
    worker, prices = SETTINGS.workers["video"], load_prices()
    disk_gb = worker.disk_gb + (worker.scratch_gb or 0)
    disks = disk_gb * prices.of("ebs.gp3").usd / prices.hours_per_month
    address = prices.of("ipv4").usd
    listed = [prices.of(f"ec2.{each}").usd for each in worker.instance_types]
    tariff = read(prod).tariff
    assert tariff.stopped_usd == pytest.approx(disks)
    assert tariff.on_demand_usd == pytest.approx(listed[0] + disks + address)
    spot = (1 - prices.spot_discount) * sum(listed) / len(listed)
    assert tariff.spot_usd == pytest.approx(spot + disks + address)


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"MinSize": 2, "MaxGroupPreparedCapacity": 2}, WarmPool(2, 2, reuse=False)),
        ({}, WarmPool(0, SETTINGS.workers["video"].max_instances, reuse=False)),
        (
            {"MaxGroupPreparedCapacity": 8, "InstanceReusePolicy": {"ReuseOnScaleIn": True}},
            WarmPool(0, 8, reuse=True),
        ),
    ],
)
def test_a_warm_pool_is_read(
    prod: Templates, properties: dict[str, Any], expected: WarmPool
) -> None:
    assert read(prod).warm_pool is None
    group = next(
        name
        for name, each in prod["video"]["Resources"].items()
        if each["Type"] == "AWS::AutoScaling::AutoScalingGroup"
    )
    pool = {"AutoScalingGroupName": {"Ref": group}, **properties}
    other = copy.deepcopy(prod)
    other["video"]["Resources"]["Warm"] = {
        "Type": "AWS::AutoScaling::WarmPool",
        "Properties": pool,
    }
    assert read(other).warm_pool == expected
    assert read(other, "ai").warm_pool is None


def test_a_fleet_that_is_not_there_is_named(prod: Templates) -> None:
    without = {name: each for name, each in prod.items() if name != "video"}
    with pytest.raises(OperatorError, match="no Auto Scaling group academy-video-worker-asg"):
        read(without)
    without = {name: each for name, each in prod.items() if name != "scaling"}
    with pytest.raises(OperatorError, match="FLEETS"):
        read(without)
    with pytest.raises(OperatorError, match="no fleet of kind 'render' in the templates, only"):
        read(prod, "render")


def test_a_rule_that_cannot_be_read_is_named(prod: Templates) -> None:
    other = copy.deepcopy(prod)
    function = next(
        each
        for each in other["scaling"]["Resources"].values()
        if "FLEETS" in each["Properties"].get("Environment", {}).get("Variables", {})
    )
    function["Properties"]["Environment"]["Variables"]["FLEETS"] = json.dumps(
        [{"kind": "video", "queues": ["q"], "slots": 0}]
    )
    with pytest.raises(OperatorError, match="FLEETS of scaling/"):
        read(other)
