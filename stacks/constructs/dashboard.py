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

from config.contracts import health, metrics
from stacks.constructs.canary import health_metric
from stacks.constructs.dashboard_widgets import WIDTH, graph, log_lines, title
from stacks.constructs.fleet_metrics import (
    MINUTE,
    backlog_metric,
    controller_metric,
    group_metric,
    worker_metric,
)
from stacks.constructs.job_queue import JobQueue
from stacks.constructs.store_alarms import database_metric, redis_metric


@dataclass(frozen=True)
class Watched:
    """What the dashboard shows; `database` and `redis_nodes` are absent where they are external."""

    environment: str
    job_queues: Sequence[JobQueue]
    load_balancer: elbv2.ApplicationLoadBalancer
    metric_function: lambda_.IFunction
    metric_logs: logs.ILogGroup
    worker_logs: Sequence[logs.ILogGroup]
    worker_kinds: Sequence[str]
    database: str | None
    redis_nodes: Sequence[str]
    alarms: Sequence[cloudwatch.IAlarm]


class OperatorsDashboard(Construct):
    """Alarms, then the questions of section 7 as rows, then the parts that all of it stands on."""

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
                title="Alarms", alarms=list(watched.alarms), width=WIDTH, height=4
            )
        )
        for row in (_queued, _sent, _backlog, _fleets, _received, _times, _service, _stores):
            board.add_widgets(*row(watched))


def _queued(watched: Watched) -> list[cloudwatch.IWidget]:
    visible, hidden = "ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible"
    given_up = [
        item.dead_letter.metric_approximate_number_of_messages_visible(period=MINUTE)
        for item in watched.job_queues
    ]
    return [
        title("7.1 Are there jobs in the queue? Waiting but not in flight: look at 7.4."),
        graph("Waiting", [item.metric(visible, "Maximum") for item in watched.job_queues]),
        graph("In flight", [item.metric(hidden, "Maximum") for item in watched.job_queues]),
        graph("Given up (DLQ)", given_up),
    ]


def _sent(watched: Watched) -> list[cloudwatch.IWidget]:
    entry, codes = watched.load_balancer.metrics, elbv2.HttpCodeTarget
    answers = (codes.TARGET_2XX_COUNT, codes.TARGET_4XX_COUNT, codes.TARGET_5XX_COUNT)
    latency = [entry.target_response_time(statistic=each, period=MINUTE) for each in ("p50", "p95")]
    return [
        title("7.2 Does the API hand jobs over? 5xx after an upload: the queue refused."),
        graph("Sent", [item.metric("NumberOfMessagesSent", "Sum") for item in watched.job_queues]),
        graph("API answers", [entry.http_code_target(code, period=MINUTE) for code in answers]),
        graph("API latency (s)", latency),
    ]


def _backlog(watched: Watched) -> list[cloudwatch.IWidget]:
    function = watched.metric_function
    published, failed = metrics.PUBLISHED_LINE.partition(" |")[0], metrics.FETCH_FAILED_LINE
    age = cloudwatch.MathExpression(
        expression="EPOCH(FILL(backlog, 0)) - FILL(EPOCH(backlog), REPEAT)",
        using_metrics={"backlog": backlog_metric(watched.environment)},
        label="age of the last BacklogCount (s)",
        period=MINUTE,
    )
    return [
        title("7.3 Is the backlog published? An age that grows: the metric function is silent."),
        graph("BacklogCount", [backlog_metric(watched.environment)], [age]),
        graph(
            "Metric function",
            [
                function.metric_invocations(period=MINUTE),
                function.metric_errors(period=MINUTE),
                function.metric_throttles(period=MINUTE),
            ],
        ),
        log_lines(
            "What it said",
            [watched.metric_logs],
            f"filter @message like '{published}' or @message like '{failed}'",
        ),
    ]


def _fleets(watched: Watched) -> list[cloudwatch.IWidget]:
    names = ("GroupDesiredCapacity", "GroupInServiceInstances")
    return [
        title("7.4 Are the workers up? Desired above in service: instances fail to boot."),
        *(
            graph(
                f"Fleet {kind}",
                [group_metric(watched.environment, kind, name) for name in names],
                [controller_metric(watched.environment, kind, metrics.QUEUE_DEPTH)],
            )
            for kind in watched.worker_kinds
        ),
    ]


def _received(watched: Watched) -> list[cloudwatch.IWidget]:
    names = ("NumberOfMessagesReceived", "NumberOfMessagesDeleted")
    outcomes = [
        metric.with_(dimensions_map={**(metric.dimensions or {}), "Outcome": outcome})
        for kind in watched.worker_kinds
        for metric in [worker_metric(watched.environment, kind, metrics.JOBS, "Sum")]
        for outcome in metrics.JOB_OUTCOMES
    ]
    return [
        title("7.4 Do the workers receive and finish jobs?"),
        graph(
            "Received and finished",
            [item.metric(name, "Sum") for item in watched.job_queues for name in names],
        ),
        graph("Outcomes", outcomes),
        log_lines("Workers' errors", watched.worker_logs, "filter @message like /(?i)error/"),
    ]


def _times(watched: Watched) -> list[cloudwatch.IWidget]:
    def of(name: str) -> list[cloudwatch.IMetric]:
        kinds = watched.worker_kinds
        return [worker_metric(watched.environment, kind, name, "p95") for kind in kinds]

    age = "ApproximateAgeOfOldestMessage"
    return [
        title("7.5 How long does it take? The age counts running jobs: it may grow for hours."),
        graph("Until a job starts (s, p95)", of(metrics.TIME_TO_START_S)),
        graph(
            "In the queue, and running (s, p95)",
            of(metrics.QUEUE_AGE_S) + of(metrics.JOB_DURATION_S),
        ),
        graph(
            "Until the queue is empty, and its oldest message (s)",
            [_drain_time(item) for item in watched.job_queues],
            [item.metric(age, "Maximum") for item in watched.job_queues],
        ),
    ]


def _drain_time(item: JobQueue) -> cloudwatch.MathExpression:
    """Return the seconds until a queue is empty at the rate of the last 5 minutes."""
    key = item.contract.key
    finished, waiting, running = (f"{key}_{name}" for name in ("finished", "waiting", "running"))
    return cloudwatch.MathExpression(
        expression=f"IF({finished} > 0, ({waiting} + {running}) * PERIOD({finished}) / {finished})",
        using_metrics={
            finished: item.metric("NumberOfMessagesDeleted", "Sum"),
            waiting: item.metric("ApproximateNumberOfMessagesVisible", "Average"),
            running: item.metric("ApproximateNumberOfMessagesNotVisible", "Average"),
        },
        label=f"{key} empty in",
        period=cdk.Duration.minutes(5),
    )


def _service(watched: Watched) -> list[cloudwatch.IWidget]:
    environment, entry = watched.environment, watched.load_balancer.metrics
    parts = [
        health_metric(environment, health.DEPENDENCY_UP, "Minimum", Dependency=name)
        for name in health.DEPENDENCIES
    ]
    codes = (elbv2.HttpCodeElb.ELB_5XX_COUNT, elbv2.HttpCodeElb.ELB_502_COUNT)
    return [
        title("Is the service up? The canary asks as users do; a dependency at 0 is the cause."),
        graph("Up", [health_metric(environment, health.UP, "Minimum"), *parts]),
        graph("Answer of /health (ms)", [health_metric(environment, health.LATENCY, "Average")]),
        graph(
            "The load balancer's own errors",
            [entry.http_code_elb(code, period=MINUTE) for code in codes],
        ),
    ]


def _stores(watched: Watched) -> list[cloudwatch.IWidget]:
    database, nodes = watched.database, watched.redis_nodes
    rows: list[cloudwatch.IWidget] = [title("Do database and Redis have room?")]
    if database:
        cpu = database_metric(database, "CPUUtilization")
        rows += [
            graph(
                "Database: CPU (%), connections",
                [cpu],
                [database_metric(database, "DatabaseConnections")],
            ),
            graph("Database: free bytes", [database_metric(database, "FreeStorageSpace")]),
        ]
    if nodes:
        shares = ("EngineCPUUtilization", "DatabaseMemoryUsagePercentage")
        rows.append(
            graph(
                "Redis: CPU and memory (%), connections",
                [redis_metric(node, name) for node in nodes for name in shares],
                [redis_metric(node, "CurrConnections") for node in nodes],
            )
        )
    return rows
