"""What makes a fleet grow when the metric function does not: Auto Scaling's own means, no code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import aws_cdk as cdk
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from constructs import Construct

from config.contracts import metrics
from stacks.constructs.alarm import alarm
from stacks.constructs.controller_alarms import SILENT_MINUTES
from stacks.constructs.fleet_metrics import MINUTE, controller_metric, group_metric, signal_metric
from stacks.constructs.job_queue import JobQueue
from stacks.constructs.platform_stack import Place


class Backstop(Construct):
    """An alarm on jobs that wait for nobody, and the step policy that it executes.

    Jobs wait for nobody while the function's own signal is missing and the fleet's queues hold
    visible messages, by SQS's own count; and while the signal says that there are jobs, the group
    is asked for no instance, and the breaker is not what forbids it. What is unknown of group and
    breaker counts as in order: the function speaks.

    The policy only ever adds. Its steps double: between half and all of the workers that the jobs
    fill at once. Auto Scaling counts what it added as capacity while it boots, for `boot_s`, and
    adds no more of it until then; workers that are too many leave by themselves. An alarm repeats
    a scaling action each minute, for as long as it lasts.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        place: Place,
        kind: str,
        group: autoscaling.AutoScalingGroup,
        job_queues: Sequence[JobQueue],
        slots: int,
        maximum: int,
        boot_s: int,
    ) -> None:
        super().__init__(scope, identifier)
        adding = autoscaling.StepScalingAction(
            self,
            "Adds",
            auto_scaling_group=group,
            adjustment_type=autoscaling.AdjustmentType.CHANGE_IN_CAPACITY,
            estimated_instance_warmup=cdk.Duration.seconds(boot_s),
            metric_aggregation_type=autoscaling.MetricAggregationType.MAXIMUM,
        )
        for lower, upper, workers in steps(slots, maximum):
            adding.add_adjustment(adjustment=workers, lower_bound=lower, upper_bound=upper)
        self.alarm = alarm(
            self,
            "Alarm",
            place=place,
            metric=_waiting_for_nobody(place.environment, kind, job_queues),
            threshold=0,
            above=True,
            periods=SILENT_MINUTES,
            missing_is_bad=False,
            meaning=f"Jobs of {kind} wait and nobody asks for workers: Auto Scaling adds some.",
            runbook="the-backstop-adds-workers",
        )
        self.alarm.add_alarm_action(actions.AutoScalingAction(adding))


def steps(slots: int, maximum: int) -> Iterator[tuple[int, int | None, int]]:
    """Yield lower and upper bound of each step, in waiting jobs, and the workers it adds.

    With 4 slots: 1 worker below 8 jobs, 2 below 16, 4 below 32, and so on up to `maximum`; the last
    step has no upper bound.
    """
    workers = 1
    while workers * 2 <= maximum:
        yield (0 if workers == 1 else slots * workers), slots * workers * 2, workers
        workers *= 2
    yield (0 if workers == 1 else slots * workers), None, workers


def _waiting_for_nobody(
    environment: str, kind: str, job_queues: Sequence[JobQueue]
) -> cloudwatch.MathExpression:
    """Return the jobs that wait for nobody, 0 while the metric function does its work.

    FILL also gives a metric without any point one: https://github.com/aws/aws-sdk-js-v3/issues/6873
    """
    visible = {
        f"visible{index}": queue.metric("ApproximateNumberOfMessagesVisible", "Minimum")
        for index, queue in enumerate(job_queues)
    }
    waiting = " + ".join(f"FILL({name}, 0)" for name in visible)
    unasked = "IF(FILL(asked, 1) < 1 AND FILL(breaker, 0) < 1, FILL(signal, 0), 0)"
    return cloudwatch.MathExpression(
        expression=f"IF(FILL(signal, -1) < 0, {waiting}, {unasked})",
        using_metrics={
            **visible,
            "signal": signal_metric(environment, kind, statistic="Minimum"),
            "asked": group_metric(environment, kind, "GroupDesiredCapacity"),
            "breaker": controller_metric(environment, kind, metrics.BREAKER_OPEN),
        },
        label=f"{kind}: jobs that wait for nobody",
        period=MINUTE,
    )
