"""Did a fleet's alarm go off, or is its breaker open?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config.contracts.metrics import BREAKER_OPEN, VIDEO_NAMESPACE, WORKERS_NAMESPACE
from ops import aws
from ops.findings import Finding
from ops.verify.context import Context

_ALARM = "AWS::CloudWatch::Alarm"
#: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
_NAMES_A_CALL = 100


@dataclass(frozen=True)
class AlarmFact:
    """An alarm: what it is about and where its chapter is, its state, why, and since when."""

    name: str
    meaning: str
    is_breaker: bool
    state: str
    reason: str
    since: datetime


def ask(context: Context) -> list[Finding]:
    """Ask for the state of every alarm on what is said of the fleets.

    Not of those on silence: in a new environment they begin with it, and that the metric arrives
    is verified by itself (`ops.verify.metric`).
    """
    metrics = {
        each.physical_id: set(_metrics(each.properties))
        for each in context.deployed.resources(_ALARM)
        if each.properties.get("TreatMissingData") != "breaching"
    }
    ours = {
        name: found
        for name, found in metrics.items()
        if name and {space for space, _ in found} & {VIDEO_NAMESPACE, WORKERS_NAMESPACE}
    }
    breakers = {
        name for name, found in ours.items() if found == {(WORKERS_NAMESPACE, BREAKER_OPEN)}
    }
    client = aws.client("cloudwatch", context.region)
    names = sorted(ours)
    known = [
        _fact(alarm, alarm["AlarmName"] in breakers)
        for start in range(0, len(names), _NAMES_A_CALL)
        for alarm in client.describe_alarms(AlarmNames=names[start : start + _NAMES_A_CALL])[
            "MetricAlarms"
        ]
    ]
    return decide(known, names, context.since)


def decide(found: Sequence[AlarmFact], expected: Sequence[str], since: datetime) -> list[Finding]:
    """Return a finding for each alarm that is missing or off, else one for all.

    An alarm that was off before the deploy is not of its making, and said without a cause; an open
    breaker is, whenever it opened: nothing of what was deployed comes up.
    """
    known = {fact.name for fact in found}
    said = [
        Finding(f"alarm {name}", "it does not exist", "deploy again")
        for name in expected
        if name not in known
    ]
    said += [_decided(fact, since) for fact in found if fact.state == "ALARM"]
    return said or [Finding(f"{len(found)} alarms on fleets are quiet")]


def _decided(fact: AlarmFact, since: datetime) -> Finding:
    what = f"alarm {fact.name}"
    meaning, _, chapter = fact.meaning.rpartition(" ")
    if fact.is_breaker or fact.since >= since:
        return Finding(what, f"{meaning} {fact.reason}".strip(), f"See {chapter}")
    return Finding(f"{what} has been off since {fact.since:%Y-%m-%d %H:%M}: {meaning}")


def _metrics(properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield namespace and name of what an alarm looks at."""
    parts = [each.get("MetricStat", {}).get("Metric") for each in properties.get("Metrics", [])]
    for metric in [properties, *parts]:
        if metric and "MetricName" in metric:
            yield metric["Namespace"], metric["MetricName"]


def _fact(alarm: Mapping[str, Any], is_breaker: bool) -> AlarmFact:
    return AlarmFact(
        name=alarm["AlarmName"],
        meaning=alarm.get("AlarmDescription", ""),
        is_breaker=is_breaker,
        state=alarm["StateValue"],
        reason=alarm.get("StateReason", ""),
        since=alarm["StateUpdatedTimestamp"],
    )
