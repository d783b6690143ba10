"""One dashboard that answers document 001, section 7, from top to bottom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from config.contracts import metrics
from stacks.constructs.backlog_metric import backlog_metric
from stacks.constructs.job_queue import JobQueue

WIDTH = 24
MINUTE = cdk.Duration.minutes(1)


@dataclass(frozen=True)
class Watched:
    """What the dashboard shows; `group_names` are the worker fleets' Auto Scaling groups."""

    environment: str
    job_queues: Sequence[JobQueue]
    load_balancer: elbv2.ApplicationLoadBalancer
    metric_function: lambda_.IFunction
    metric_logs: logs.ILogGroup
    worker_logs: Sequence[logs.ILogGroup]
    worker_kinds: Sequence[str]
    group_names: Sequence[str]
    alarms: Sequence[cloudwatch.IAlarm]


class OperatorsDashboard(Construct):
    """Sections 7.1 to 7.5 as rows: queue, hand-over, backlog metric, workers, fleet."""

    def __init__(self, scope: Construct, identifier: str, *, watched: Watched) -> None:
        super().__init__(scope, identifier)
        board = cloudwatch.Dashboard(
            self,
            "Board",
            default_interval=cdk.Duration.hours(3),
            period_override=cloudwatch.PeriodOverride.AUTO,
        )
        board.add_widgets(
            cloudwatch.AlarmStatusWidget(
                title="Alarms", alarms=list(watched.alarms), width=WIDTH, height=3
            )
        )
        for row in (_queued, _handed_over, _backlog, _received, _fleets):
            board.add_widgets(*row(watched))


def _queued(watched: Watched) -> list[cloudwatch.IWidget]:
    return [
        _title("7.1 Are there jobs in the queue? Waiting but not in flight: look at 7.4."),
        _graph(
            "Waiting",
            [
                item.queue.metric_approximate_number_of_messages_visible(period=MINUTE)
                for item in watched.job_queues
            ],
        ),
        _graph(
            "In flight",
            [
                item.queue.metric_approximate_number_of_messages_not_visible(period=MINUTE)
                for item in watched.job_queues
            ],
        ),
        _graph(
            "Given up (DLQ)",
            [
                item.dead_letter.metric_approximate_number_of_messages_visible(period=MINUTE)
                for item in watched.job_queues
            ],
        ),
    ]


def _handed_over(watched: Watched) -> list[cloudwatch.IWidget]:
    entry = watched.load_balancer.metrics
    return [
        _title("7.2 Does the API hand jobs over? 5xx after an upload: the queue refused."),
        _graph(
            "Sent",
            [
                item.queue.metric_number_of_messages_sent(period=MINUTE)
                for item in watched.job_queues
            ],
        ),
        _graph(
            "API answers",
            [
                entry.http_code_target(code, period=MINUTE)
                for code in (
                    elbv2.HttpCodeTarget.TARGET_2XX_COUNT,
                    elbv2.HttpCodeTarget.TARGET_4XX_COUNT,
                    elbv2.HttpCodeTarget.TARGET_5XX_COUNT,
                )
            ],
        ),
        _graph("API latency p95", [entry.target_response_time(statistic="p95", period=MINUTE)]),
    ]


def _backlog(watched: Watched) -> list[cloudwatch.IWidget]:
    function = watched.metric_function
    published, failed = metrics.PUBLISHED_LINE.partition(" |")[0], metrics.FETCH_FAILED_LINE
    return [
        _title("7.3 Is the backlog published? A gap is a failure of the metric function."),
        _graph("BacklogCount", [backlog_metric(watched.environment)]),
        _graph(
            "Metric function",
            [
                function.metric_invocations(period=MINUTE),
                function.metric_errors(period=MINUTE),
                function.metric_duration(period=MINUTE),
            ],
        ),
        cloudwatch.LogQueryWidget(
            title="What it said",
            log_group_names=[watched.metric_logs.log_group_name],
            query_lines=[
                "fields @timestamp, @message",
                f"filter @message like '{published}' or @message like '{failed}'",
                "sort @timestamp desc",
                "limit 20",
            ],
            width=8,
            height=6,
        ),
    ]


def _received(watched: Watched) -> list[cloudwatch.IWidget]:
    return [
        _title(
            "7.4 Do workers receive and finish jobs? The oldest message tells how long one waits."
        ),
        _graph(
            "Received and finished",
            [
                metric
                for item in watched.job_queues
                for metric in (
                    item.queue.metric_number_of_messages_received(period=MINUTE),
                    item.queue.metric_number_of_messages_deleted(period=MINUTE),
                )
            ],
        ),
        _graph(
            "Oldest message (s)",
            [
                item.queue.metric_approximate_age_of_oldest_message(period=MINUTE)
                for item in watched.job_queues
            ],
        ),
        _graph(
            "Until a job starts, and how long it runs (s)",
            [
                cloudwatch.Metric(
                    namespace=metrics.WORKERS_NAMESPACE,
                    metric_name=name,
                    dimensions_map={"WorkerType": metrics.WORKER_TYPES[kind]},
                    period=MINUTE,
                    statistic="p95",
                )
                for kind in watched.worker_kinds
                for name in (metrics.QUEUE_AGE_S, metrics.TIME_TO_START_S, metrics.JOB_DURATION_S)
            ],
        ),
        cloudwatch.LogQueryWidget(
            title="Workers' errors",
            log_group_names=[group.log_group_name for group in watched.worker_logs],
            query_lines=[
                "fields @timestamp, @logStream, @message",
                "filter @message like /(?i)error/",
                "sort @timestamp desc",
                "limit 20",
            ],
            width=8,
            height=6,
        ),
    ]


def _fleets(watched: Watched) -> list[cloudwatch.IWidget]:
    return [
        _title(
            "7.5 Is the fleet as large as asked? Desired above in service: instances fail to boot."
        ),
        *(
            _graph(
                name,
                [
                    cloudwatch.Metric(
                        namespace="AWS/AutoScaling",
                        metric_name=metric,
                        dimensions_map={"AutoScalingGroupName": name},
                        period=MINUTE,
                        statistic="Maximum",
                    )
                    for metric in ("GroupDesiredCapacity", "GroupInServiceInstances")
                ],
            )
            for name in watched.group_names
        ),
    ]


def _title(text: str) -> cloudwatch.TextWidget:
    return cloudwatch.TextWidget(markdown=f"### {text}", width=WIDTH, height=1)


def _graph(title: str, found: Sequence[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(found), width=8, height=6)
