"""AWS::CloudWatch: alarms, composite alarms, dashboards."""

from __future__ import annotations

import json

from local.resources.base import Context
from local.resources.calls import call, dropped_tags, refuse_existing, tag_list, text, without
from local.resources.kind import Kind, Properties


class _AnyAlarm(Kind):
    """What both alarms share: one call puts the whole of it."""

    operation: str
    replace_on = frozenset({"AlarmName"})

    def make(self, context: Context, properties: Properties) -> str:
        name = str(properties.get("AlarmName") or context.unique_name(max_length=255))
        cloudwatch = context.clients.client("cloudwatch")
        found = cloudwatch.describe_alarms(
            AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        present = found["MetricAlarms"] + found["CompositeAlarms"]
        refuse_existing(self.type_name, name, lambda: present)
        return name

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        cloudwatch = context.clients.client("cloudwatch")
        if without(old, "Tags") != without(new, "Tags"):
            call(cloudwatch, self.operation, {**without(new, "Tags"), "AlarmName": physical_id})
        arn = _alarm_arn(context, physical_id)
        if dropped := dropped_tags(old, new):
            cloudwatch.untag_resource(ResourceARN=arn, TagKeys=dropped)
        if tags := tag_list(new):
            cloudwatch.tag_resource(ResourceARN=arn, Tags=tags)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("cloudwatch").delete_alarms(AlarmNames=[physical_id])

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        return {"Arn": _alarm_arn(context, physical_id)}


class Alarm(_AnyAlarm):
    """A metric alarm; the control loop evaluates it."""

    type_name = "AWS::CloudWatch::Alarm"
    operation = "PutMetricAlarm"
    properties = frozenset(
        {
            "ActionsEnabled",
            "AlarmActions",
            "AlarmDescription",
            "AlarmName",
            "ComparisonOperator",
            "DatapointsToAlarm",
            "Dimensions",
            "EvaluateLowSampleCountPercentile",
            "EvaluationPeriods",
            "ExtendedStatistic",
            "InsufficientDataActions",
            "MetricName",
            "Metrics",
            "Namespace",
            "OKActions",
            "Period",
            "Statistic",
            "Tags",
            "Threshold",
            "TreatMissingData",
            "Unit",
        }
    )


class CompositeAlarm(_AnyAlarm):
    """An alarm over alarms."""

    type_name = "AWS::CloudWatch::CompositeAlarm"
    operation = "PutCompositeAlarm"
    properties = frozenset(
        {
            "ActionsEnabled",
            "AlarmActions",
            "AlarmDescription",
            "AlarmName",
            "AlarmRule",
            "InsufficientDataActions",
            "OKActions",
            "Tags",
        }
    )


def _alarm_arn(context: Context, name: str) -> str:
    return f"arn:aws:cloudwatch:{context.region}:{context.account}:alarm:{name}"


class Dashboard(Kind):
    """A dashboard; a body that is no JSON is refused."""

    type_name = "AWS::CloudWatch::Dashboard"
    properties = frozenset({"DashboardName", "DashboardBody"})
    replace_on = frozenset({"DashboardName"})

    def make(self, context: Context, properties: Properties) -> str:
        name = str(properties.get("DashboardName") or context.unique_name(max_length=255))
        cloudwatch = context.clients.client("cloudwatch")
        refuse_existing(self.type_name, name, lambda: cloudwatch.get_dashboard(DashboardName=name))
        return name

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        body = text(new["DashboardBody"])
        json.loads(body)
        context.clients.client("cloudwatch").put_dashboard(
            DashboardName=physical_id, DashboardBody=body
        )

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("cloudwatch").delete_dashboards(DashboardNames=[physical_id])


HANDLERS = (Alarm(), CompositeAlarm(), Dashboard())
