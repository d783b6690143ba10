"""What the dashboard is made of: parts of an environment, and the objectives of its fleets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from stacks.constructs.job_queue import JobQueue


@dataclass(frozen=True)
class WatchedFleet:
    """A fleet and its objectives, in seconds.

    A job starts within `start_s` of its arrival, an instance boots within `boot_s`, and jobs that
    wait for `late_s` raise an alarm.
    """

    kind: str
    start_s: int
    boot_s: int
    late_s: int


@dataclass(frozen=True)
class Watched:
    """What the dashboard shows; `database` and `redis_nodes` are absent where they are external.

    The metric function looks each `tick_s` seconds.
    """

    environment: str
    job_queues: Sequence[JobQueue]
    load_balancer: elbv2.ApplicationLoadBalancer
    metric_function: lambda_.IFunction
    metric_logs: logs.ILogGroup
    worker_logs: Sequence[logs.ILogGroup]
    fleets: Sequence[WatchedFleet]
    tick_s: int
    database: str | None
    redis_nodes: Sequence[str]
    alarms: Sequence[cloudwatch.IAlarm]
