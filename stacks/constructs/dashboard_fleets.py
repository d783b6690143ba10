"""The dashboard's rows on backlog, fleets and jobs: what scaling sees, does and makes of it."""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from config.contracts import metrics
from stacks.constructs.dashboard_widgets import graph, log_lines, title
from stacks.constructs.fleet_metrics import (
    MINUTE,
    backlog_metric,
    controller_metric,
    group_metric,
    worker_metric,
)
from stacks.constructs.job_queue import JobQueue
from stacks.constructs.watched import Watched, WatchedFleet

#: From the last look of a run to the first of the next, in ticks.
TICKS_BETWEEN_RUNS = 3


def backlog(watched: Watched) -> list[cloudwatch.IWidget]:
    """Return whether the backlog is published, and what the function says."""
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


def fleets(watched: Watched) -> list[cloudwatch.IWidget]:
    """Return what each group is asked for and has, over its jobs, and the instances by state."""
    environment = watched.environment
    names = ("GroupDesiredCapacity", "GroupInServiceInstances")
    jobs = (metrics.QUEUE_DEPTH, metrics.WAITING, metrics.RUNNING)
    return [
        title("7.4 Are the workers up? Desired above in service: instances fail to boot."),
        *(
            graph(
                f"Fleet {fleet.kind}",
                [group_metric(environment, fleet.kind, name) for name in names],
                [controller_metric(environment, fleet.kind, name) for name in jobs],
            )
            for fleet in watched.fleets
        ),
    ]


def states(watched: Watched) -> list[cloudwatch.IWidget]:
    """Return what the instances do, and whether boots are held back."""
    environment = watched.environment

    def in_state(kind: str, state: str) -> cloudwatch.Metric:
        found = controller_metric(environment, kind, metrics.CAPACITY, dimensions={"State": state})
        return found.with_(label=state)

    return [
        title("7.4 What do they do? A zombie serves and never signs; BreakerOpen: boots fail."),
        *(
            graph(
                f"Instances {fleet.kind}",
                [in_state(fleet.kind, state) for state in metrics.INSTANCE_STATES],
                [controller_metric(environment, fleet.kind, metrics.BREAKER_OPEN)],
                stacked=True,
            )
            for fleet in watched.fleets
        ),
    ]


def received(watched: Watched) -> list[cloudwatch.IWidget]:
    """Return whether the workers receive jobs, and how they end."""
    names = ("NumberOfMessagesReceived", "NumberOfMessagesDeleted")
    outcomes = [
        metric.with_(dimensions_map={**(metric.dimensions or {}), "Outcome": outcome})
        for metric in _of(watched, metrics.JOBS, "Sum")
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


def starts(watched: Watched) -> list[cloudwatch.IWidget]:
    """Return whether jobs start in time: those that have, and the one that waits longest."""
    environment, objectives = watched.environment, _objectives(watched, lambda fleet: fleet.start_s)
    return [
        title("7.5 Do jobs start in time? Above the line: look at 7.4, then at the instances."),
        graph(
            "Until a job starts (s, p95)",
            _of(watched, metrics.TIME_TO_START_S),
            objectives=objectives,
        ),
        graph(
            "Oldest waiting job (s)",
            [controller_metric(environment, f.kind, metrics.OLDEST_JOB_S) for f in watched.fleets],
            objectives=objectives,
        ),
    ]


def times(watched: Watched) -> list[cloudwatch.IWidget]:
    """Return how long jobs, queues, boots and the controller take."""
    environment, age = watched.environment, "ApproximateAgeOfOldestMessage"
    return [
        title("7.5 How long does it take? The age counts running jobs: it may grow for hours."),
        graph(
            "In the queue, and running (s, p95)",
            [*_of(watched, metrics.QUEUE_AGE_S), *_of(watched, metrics.JOB_DURATION_S)],
        ),
        graph(
            "Until the queue is empty, and its oldest message (s)",
            [_drain_time(item) for item in watched.job_queues],
            [item.metric(age, "Maximum") for item in watched.job_queues],
            objectives=_objectives(watched, lambda fleet: fleet.late_s),
        ),
        graph(
            "Boot (s, p95), and failed",
            _of(watched, metrics.BOOT_S),
            _of(watched, metrics.BOOTS_FAILED, "Sum"),
            objectives=_objectives(watched, lambda fleet: fleet.boot_s),
        ),
        graph(
            "Since the look before (s)",
            [controller_metric(environment, f.kind, metrics.TICK_AGE_S) for f in watched.fleets],
            objectives={"objective": TICKS_BETWEEN_RUNS * watched.tick_s},
        ),
    ]


def _of(watched: Watched, name: str, statistic: str = "p95") -> list[cloudwatch.Metric]:
    """Return a metric of each fleet's instances."""
    return [
        worker_metric(watched.environment, fleet.kind, name, statistic) for fleet in watched.fleets
    ]


def _objectives(watched: Watched, of: Callable[[WatchedFleet], int]) -> dict[str, float]:
    return {f"{fleet.kind} objective": of(fleet) for fleet in watched.fleets}


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
