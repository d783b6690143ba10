"""CloudWatch, Logs, EventBridge."""

from __future__ import annotations

from typing import Any

from tests.local.properties.reader import Properties, Reader, chosen


def _alarm(aws: Any, name: str, template: Properties) -> dict[str, Any]:
    found = aws.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    return {key: value for key, value in found.items() if key != "Metrics" or value}


def _alarm_attributes(aws: Any, name: str) -> dict[str, Any]:
    found = aws.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    return {"Arn": found["AlarmArn"]}


def _dashboard(aws: Any, name: str, template: Properties) -> dict[str, Any]:
    found = aws.client("cloudwatch").get_dashboard(DashboardName=name)
    return chosen(found, "DashboardName", "DashboardBody")


def _log_group(aws: Any, name: str, template: Properties) -> dict[str, Any]:
    groups = aws.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    (found,) = [group for group in groups if group["logGroupName"] == name]
    return {"LogGroupName": name, "RetentionInDays": found.get("retentionInDays")}


def _log_group_attributes(aws: Any, name: str) -> dict[str, Any]:
    groups = aws.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    (found,) = [group for group in groups if group["logGroupName"] == name]
    return {"Arn": found["arn"]}


def _rule(aws: Any, name: str, template: Properties) -> dict[str, Any]:
    events = aws.client("events")
    rule = events.describe_rule(Name=name)
    shown = chosen(rule, "Name", "Description", "ScheduleExpression", "EventPattern", "State")
    return {**shown, "Targets": events.list_targets_by_rule(Rule=name)["Targets"]}


def _rule_attributes(aws: Any, name: str) -> dict[str, Any]:
    return {"Arn": aws.client("events").describe_rule(Name=name)["Arn"]}


READERS = (
    Reader("AWS::CloudWatch::Alarm", _alarm, attributes=_alarm_attributes),
    Reader("AWS::CloudWatch::Dashboard", _dashboard),
    Reader("AWS::Logs::LogGroup", _log_group, attributes=_log_group_attributes),
    Reader("AWS::Events::Rule", _rule, attributes=_rule_attributes),
)
