"""A dashboard that answers document 001, section 7, from top to bottom, and the ones behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from config.contracts import health
from stacks.constructs.canary import health_metric
from stacks.constructs.dashboard_fleets import backlog, fleets, received, starts, states, times
from stacks.constructs.dashboard_widgets import WIDTH, graph, title
from stacks.constructs.fleet_metrics import MINUTE
from stacks.constructs.store_alarms import database_metric, redis_metric
from stacks.constructs.watched import Watched


class OperatorsDashboard(Construct):
    """The board that answers section 7 from top to bottom, and two with what stands behind it.

    `Board` begins with the alarms. `Instances` shows what workers do, `Parts` how long all of it
    takes and what it stands on. Three boards of up to 50 metrics each cost nothing; one that holds
    more costs 3 dollars a month (https://aws.amazon.com/cloudwatch/pricing/).
    """

    def __init__(self, scope: Construct, identifier: str, *, watched: Watched) -> None:
        super().__init__(scope, identifier)
        alarms = cloudwatch.AlarmStatusWidget(
            title="Alarms", alarms=list(watched.alarms), width=WIDTH, height=4
        )
        self._board("Board", watched, _queued, _sent, backlog, fleets, starts, above=[alarms])
        self._board("Instances", watched, states, received)
        self._board("Parts", watched, times, _service, _stores)

    def _board(
        self,
        identifier: str,
        watched: Watched,
        *rows: Callable[[Watched], list[cloudwatch.IWidget]],
        above: Sequence[cloudwatch.IWidget] = (),
    ) -> None:
        board = cloudwatch.Dashboard(
            self,
            identifier,
            default_interval=cdk.Duration.hours(3),
            period_override=cloudwatch.PeriodOverride.AUTO,
        )
        for widgets in (above, *(row(watched) for row in rows)):
            if widgets:
                board.add_widgets(*widgets)


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
