"""The dashboard's widgets: a heading over a row of three."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs

WIDTH = 24


def title(text: str) -> cloudwatch.TextWidget:
    """Return a heading over the whole width."""
    return cloudwatch.TextWidget(markdown=f"### {text}", width=WIDTH, height=1)


def graph(
    name: str,
    left: Sequence[cloudwatch.IMetric],
    right: Sequence[cloudwatch.IMetric] = (),
    *,
    objectives: Mapping[str, float] | None = None,
    stacked: bool = False,
) -> cloudwatch.GraphWidget:
    """Return a graph of a third of the width, with metrics on its left and right axis.

    `objectives` are lines across it on the left axis: what stands at each, and where.
    """
    return cloudwatch.GraphWidget(
        title=name,
        left=list(left),
        right=list(right),
        left_annotations=[
            cloudwatch.HorizontalAnnotation(value=value, label=label)
            for label, value in (objectives or {}).items()
        ],
        stacked=stacked,
        width=WIDTH // 3,
        height=6,
    )


def log_lines(
    name: str, groups: Sequence[logs.ILogGroup], condition: str
) -> cloudwatch.LogQueryWidget:
    """Return the newest 20 lines of log groups that meet a condition of Logs Insights."""
    return cloudwatch.LogQueryWidget(
        title=name,
        log_group_names=[group.log_group_name for group in groups],
        query_lines=[
            "fields @timestamp, @logStream, @message",
            condition,
            "sort @timestamp desc",
            "limit 20",
        ],
        width=WIDTH // 3,
        height=6,
    )
