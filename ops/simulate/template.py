"""A fleet read out of an environment's synthesized templates and settings."""

from __future__ import annotations

import json
from typing import Any

from config.contracts.fields import Undecodable
from config.contracts.fleet_rules import FleetRules, decode_rules
from config.settings import Settings
from ops.cost.estate import Estate, Month, Resource
from ops.cost.prices import load_prices
from ops.cost.usage import Usage
from ops.errors import OperatorError
from ops.simulate.fleet import Backstop, Fleet, WarmPool
from ops.simulate.tariff import tariff

#: What CloudFormation fills in at deploy; no rule of the decision is among it.
_FILLED_IN = "deployed"


def read_fleet(estate: Estate, settings: Settings, usage: Usage, kind: str) -> Fleet:
    """Return the fleet of worker kind `kind`.

    Raises: OperatorError when the templates have no such fleet, or have it in another shape.
    """
    function = _metric_function(estate)
    rules = _rules(function, kind)
    group = _group(estate, rules)
    queues = [_queue(estate, name) for name in rules.queues]
    worker = settings.workers[rules.kind]  # type: ignore[index]
    mix = group.properties.get("MixedInstancesPolicy", {}).get("InstancesDistribution", {})
    return Fleet(
        rules=rules,
        minimum=int(group.properties["MinSize"]),
        maximum=int(group.properties["MaxSize"]),
        on_demand_base=int(mix.get("OnDemandBaseCapacity", 0)),
        idle_s=worker.idle_s,
        tick_s=float(_variables(function)["TICK_S"]),
        checkpoint_s=worker.checkpoint_s,
        visibility_s=min(float(each.properties["VisibilityTimeout"]) for each in queues),
        max_receives=min(each.properties["RedrivePolicy"]["maxReceiveCount"] for each in queues),
        warm_pool=_warm_pool(estate, group),
        backstop=_backstop(estate, group),
        tariff=tariff(group, Month(estate, usage, load_prices())),
    )


def _variables(function: Resource) -> dict[str, Any]:
    variables: dict[str, Any] = function.properties["Environment"]["Variables"]
    return variables


def _metric_function(estate: Estate) -> Resource:
    for each in estate.of_type("AWS::Lambda::Function"):
        if "FLEETS" in each.properties.get("Environment", {}).get("Variables", {}):
            return each
    raise OperatorError("no function in the templates has the variable FLEETS")


def _rules(function: Resource, kind: str) -> FleetRules:
    entries = json.loads(_text(_variables(function)["FLEETS"]))
    for entry in entries:
        if entry["kind"] == kind:
            try:
                return decode_rules(entry)
            except Undecodable as error:
                raise OperatorError(f"FLEETS of {function.name}: {error}") from error
    known = ", ".join(entry["kind"] for entry in entries)
    raise OperatorError(f"no fleet of kind {kind!r} in the templates, only {known}")


def _text(value: Any) -> str:
    """Return a text that CloudFormation joins, with a word for each part that it fills in."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and "Fn::Join" in value:
        between, parts = value["Fn::Join"]
        return str(between).join(map(_text, parts))
    return _FILLED_IN


def _group(estate: Estate, rules: FleetRules) -> Resource:
    for each in estate.of_type("AWS::AutoScaling::AutoScalingGroup"):
        if each.properties.get("AutoScalingGroupName") == rules.group:
            return each
    raise OperatorError(f"no Auto Scaling group {rules.group} in the templates")


def _queue(estate: Estate, name: str) -> Resource:
    for each in estate.of_type("AWS::SQS::Queue"):
        if each.properties.get("QueueName") == name:
            return each
    raise OperatorError(f"no queue {name} in the templates")


def _warm_pool(estate: Estate, group: Resource) -> WarmPool | None:
    for each in estate.of_type("AWS::AutoScaling::WarmPool"):
        named = each.properties["AutoScalingGroupName"]
        if named == group.properties["AutoScalingGroupName"] or group in estate.named(each, named):
            most = each.properties.get("MaxGroupPreparedCapacity", group.properties["MaxSize"])
            reuse = each.properties.get("InstanceReusePolicy", {}).get("ReuseOnScaleIn", False)
            return WarmPool(int(each.properties.get("MinSize", 0)), int(most), bool(reuse))
    return None


def _backstop(estate: Estate, group: Resource) -> Backstop | None:
    """Return the group's step policy with the periods of the alarm that executes it."""
    for each in estate.of_type("AWS::AutoScaling::ScalingPolicy"):
        steps = each.properties.get("StepAdjustments")
        if steps and group in estate.named(each, each.properties["AutoScalingGroupName"]):
            return Backstop(
                steps=tuple(
                    (float(step.get("MetricIntervalLowerBound", 0)), step["ScalingAdjustment"])
                    for step in steps
                ),
                minutes=_periods(estate, each),
                warm_up_s=float(each.properties["EstimatedInstanceWarmup"]),
            )
    return None


def _periods(estate: Estate, policy: Resource) -> int:
    for alarm in estate.of_type("AWS::CloudWatch::Alarm"):
        if policy in estate.named(alarm, alarm.properties.get("AlarmActions", [])):
            return int(alarm.properties["EvaluationPeriods"])
    raise OperatorError(f"no alarm executes {policy.name}")
