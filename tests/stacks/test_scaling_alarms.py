"""What is said of fleets: alarms look at what is published, and silence is told in time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from config.contracts import health, metrics
from config.contracts.fleet_rules import FleetRules
from config.settings import load_settings
from lambdas.health_canary.publish import data as canary_data
from lambdas.queue_depth_metric.backlog import Measured
from lambdas.queue_depth_metric.publish import FleetLines, Seen, data
from lambdas.queue_depth_metric.sizing import Work
from local.control.evaluation import ALARM, EXTRA_PERIODS, OK, Threshold, judge
from local.control.metric_math import evaluate
from ops.cost import load_usage
from stacks.constructs.boot_report import record
from tests.conftest import Templates
from tests.stacks.fleet_rules import rules_of
from tests.stacks.observed import Metric, alarms, boards, metric_of, published, watched
from tests.templates import properties

#: Times are told within this after the last sign of life.
TOLD_WITHIN_S = 180


def fleet_lines(environment: str, rules: FleetRules) -> set[Metric]:
    """Return the metrics of the lines that the function writes of a fleet in every state."""
    lines: list[str] = []
    states = {f"i-{state}": state for state in metrics.INSTANCE_STATES}
    seen = Seen(Work(1, 1), oldest_s=1.0, tick_age_s=10.0, breaker_open=True, states=states)
    FleetLines(lines.append, environment, rules.kind).tell(seen, now=1.0)
    return {metric for line in lines for metric in embedded(json.loads(line))}


def embedded(line: Mapping[str, Any]) -> Iterator[Metric]:
    """Yield the metrics of an embedded-metric line."""
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            given = [{"Name": name, "Value": line[name]} for name in names]
            for metric in directive["Metrics"]:
                yield metric_of(
                    {
                        "Namespace": directive["Namespace"],
                        "MetricName": metric["Name"],
                        "Dimensions": given,
                    }
                )


def booted(environment: str, kind: str) -> set[Metric]:
    """Return the metrics of a fleet's boot records."""
    dimensions = json.dumps(metrics.worker_dimensions(environment, kind))
    facts = [metrics.WORKERS_NAMESPACE, dimensions]
    ended = record([*facts, "ended", "i-1", "", "pull=1", ""], "", 1.0)
    failed = record([*facts, "failed", "i-1", "pull", "pull=1", ""], "", 1.0)
    return {metric for line in (ended, failed) for metric in embedded(json.loads(line))}


def put(environment: str, rules: FleetRules) -> set[Metric]:
    """Return the metrics that the function always publishes of a fleet."""
    sent = data(environment, rules, Measured(backlog=1, depth=1))
    return {metric for name, found in sent.items() for metric in published(name, found)}


def test_what_alarms_and_backstops_look_at_is_published(
    templates: Templates, environment: str
) -> None:
    workers = load_settings(environment).workers
    said = {m for rules in rules_of(templates).values() for m in put(environment, rules)}
    said |= {m for rules in rules_of(templates).values() for m in fleet_lines(environment, rules)}
    said |= {metric for kind in workers for metric in booted(environment, kind)}
    ours = (metrics.WORKERS_NAMESPACE, metrics.VIDEO_NAMESPACE)
    looked_at = {m for alarm in alarms(templates) for m in watched(alarm) if m[0] in ours}
    # A worker's own metrics with each job are the worker's tests' to prove.
    assert {m for m in looked_at - said if m[1] != metrics.TIME_TO_START_S} == set()
    assert {name for _, name, _ in looked_at} >= {
        metrics.BACKLOG_COUNT,
        metrics.QUEUE_DEPTH,
        metrics.BREAKER_OPEN,
        metrics.BOOTS_FAILED,
        metrics.TIME_TO_START_S,
    }


def test_the_dashboards_show_all_that_is_said_of_a_fleet(
    templates: Templates, environment: str
) -> None:
    body = "".join(boards(templates).values())
    for kind, rules in rules_of(templates).items():
        for namespace, name, dimensions in fleet_lines(environment, rules) | booted(
            environment, kind
        ):
            parts = [namespace, name, *(part for pair in sorted(dimensions) for part in pair)]
            assert json.dumps(parts, separators=(",", ":"))[1:-1] in body, parts
    for kind, worker in load_settings(environment).workers.items():
        objective = worker.boot_s + worker.start_within_s
        assert f'"value":{objective},"label":"{kind} objective"' in body


def test_the_estimate_of_costs_counts_the_metrics_that_are_sent(prod: Templates) -> None:
    rules, usage = rules_of(prod), load_usage("prod", 500)
    well = health.Answer(
        up=True, url="u", latency_ms=1, status=200, hop=None, reason=None, failed=[]
    )
    all_day = published(health.NAMESPACE, canary_data("prod", well))
    all_day |= {metric for each in rules.values() for metric in put("prod", each)}
    assert len(all_day) == usage.custom_metrics
    # Instances that drain, and zombies, are seldom there.
    seldom = {("State", "draining"), ("State", "zombie")}
    at_work = {m for m in fleet_lines("prod", rules["ai"]) if not m[2] & seldom}
    of_jobs = {metrics.QUEUE_AGE_S, metrics.TIME_TO_START_S, metrics.JOB_DURATION_S, metrics.JOBS}
    assert len(at_work | booted("prod", "ai")) + len(of_jobs) == usage.fleet_metrics


def test_a_silent_function_is_told_within_3_minutes_of_its_last_word(
    templates: Templates, environment: str
) -> None:
    for kind, rules in rules_of(templates).items():
        signal = metrics.BACKLOG_COUNT if kind == "video" else metrics.QUEUE_DEPTH
        [alarm] = [
            alarm
            for alarm in properties(templates["scaling"], "AWS::CloudWatch::Alarm")
            if {name for _, name, _ in watched(alarm)} == {signal}
            and watched(alarm) <= put(environment, rules)
        ]
        assert told_after_s(alarm) <= TOLD_WITHIN_S
        # The latest minute may not have arrived: one without data is no silence.
        assert state(alarm, [6.0, 6.0, 6.0, None]) == OK


def told_after_s(alarm: dict[str, Any]) -> int:
    """Return how long after its last point an alarm goes off at the latest.

    A point at the end of a minute counts as that minute's: silence is what comes after it.
    """
    [period_s] = {each["MetricStat"]["Period"] for each in alarm["Metrics"] if "MetricStat" in each}
    silent = 0
    while state(alarm, [6.0] * 10 + [None] * silent) != ALARM:
        silent += 1
    # The minute in which it spoke for the last time began at most a period before it.
    return (silent + 1) * period_s


def state(alarm: dict[str, Any], minutes: list[float | None]) -> str:
    """Return the state of an alarm whose metric had these points, the newest last."""
    [expression] = [each["Expression"] for each in alarm["Metrics"] if "Expression" in each]
    [name] = [each["Id"] for each in alarm["Metrics"] if "MetricStat" in each]
    periods = alarm["EvaluationPeriods"]
    threshold = Threshold(
        comparison=alarm["ComparisonOperator"],
        value=alarm["Threshold"],
        periods=periods,
        needed=alarm.get("DatapointsToAlarm", periods),
        missing=alarm["TreatMissingData"],
    )
    seen = minutes[-(periods + EXTRA_PERIODS) :]
    return judge(evaluate(expression, {name: seen}, len(seen)), threshold, OK)


def test_each_breaker_has_the_alarm_that_the_function_is_told_of(
    templates: Templates, environment: str
) -> None:
    found = {
        alarm["AlarmName"]: alarm
        for alarm in properties(templates["scaling"], "AWS::CloudWatch::Alarm")
        if "AlarmName" in alarm
    }
    for rules in rules_of(templates).values():
        alarm = found.pop(rules.breaker_alarm)
        assert watched(alarm) <= fleet_lines(environment, rules)
        assert (alarm["MetricName"], alarm["Threshold"]) == (metrics.BREAKER_OPEN, 0)
        assert alarm["TreatMissingData"] == "notBreaching"
    assert not found, "only what the contract names has a physical name"
