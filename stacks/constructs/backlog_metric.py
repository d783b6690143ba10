"""The function that publishes the backlog and adds workers, and the alarm on its silence."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from config.contracts import metrics, names, queues
from config.contracts.fleet_rules import FleetRules, encode_rules
from stacks.constructs.acknowledge import NO_RESOURCE, grant_pattern
from stacks.constructs.alarm import alarm
from stacks.constructs.function_alarms import function_alarms
from stacks.constructs.instance_template import KNOWN_BY_NAME, group_arn
from stacks.constructs.job_queue import JobQueue
from stacks.constructs.parameters import grant_secret_value
from stacks.constructs.platform_stack import Place
from stacks.constructs.python_lambda import PythonLambda

#: Runs of the function without a metric before the alarm goes off.
SILENT_MINUTES = 5


class BacklogMetric(Construct):
    """Function and rule under their documented names, run each minute, never twice at once.

    It stands outside the VPC and asks the API at its public address. The internal key is read from
    its secret at run time: the environment holds the ARN. It may set the capacity of the named
    groups alone and publish to our two namespaces alone. A run that fails is not repeated: the
    next minute's is due. Missing data raises an alarm for each metric.
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        place: Place,
        api_base_url: str,
        internal_key: secretsmanager.ISecret,
        job_queues: dict[str, JobQueue],
        fleets: Sequence[FleetRules],
        tick_s: int,
    ) -> None:
        super().__init__(scope, identifier)
        environment = place.environment
        packed = PythonLambda(
            self,
            "QueueDepth",
            package="queue_depth_metric",
            function_name=names.physical_name(environment, names.METRIC_FUNCTION),
            description="Publishes BacklogCount and QueueDepth, and adds workers to the backlog",
            environment={
                "VIDEO_BACKLOG_API_URL": api_base_url,
                "LAMBDA_INTERNAL_API_KEY": internal_key.secret_arn,
                "ENVIRONMENT": environment,
                "FLEETS": cdk.Stack.of(self).to_json_string(
                    [encode_rules(fleet) for fleet in fleets]
                ),
                "TICK_S": str(tick_s),
            },
            timeout_s=60,
            # Python with its four clients takes 48 MB. It runs all day: up to 160 stays within what
            # Lambda gives for nothing, 256 costs 2.30 dollars a month (docs/cost.md).
            memory_mb=160,
            log_retention_days=place.log_retention_days,
            reserved_concurrency=1,
        )
        # A late repetition would only be in the next minute's way.
        packed.function.configure_async_invoke(
            retry_attempts=0, max_event_age=cdk.Duration.minutes(1)
        )
        self.function, self.log_group = packed.function, packed.log_group
        grant_secret_value(self.function, internal_key)
        for job_queue in job_queues.values():
            job_queue.queue.grant(self.function, *queues.OBSERVER_ACTIONS)
        self._grant_publish()
        self._grant_sizing([fleet.group for fleet in fleets])
        events.Rule(
            self,
            "Rate",
            rule_name=names.physical_name(environment, names.METRIC_RULE),
            description="Each minute: look at the queues",
            schedule=events.Schedule.rate(cdk.Duration.minutes(1)),
            targets=[targets.LambdaFunction(self.function, retry_attempts=0)],
        )
        self.alarms = [
            alarm(
                self,
                "SilenceAlarm",
                place=place,
                metric=backlog_metric(environment, statistic="SampleCount"),
                threshold=1,
                above=False,
                periods=SILENT_MINUTES,
                missing_is_bad=True,
                meaning="BacklogCount is no longer published: the video fleet does not grow.",
                runbook="a-metric-is-no-longer-published",
            ),
            *(self._depth_alarm(fleet, place) for fleet in fleets),
            *function_alarms(self, packed.function, place=place, runs_each_minute=True),
        ]

    def _grant_publish(self) -> None:
        """A raw statement: PutMetricData knows no resource, a condition narrows it instead."""
        namespaces = [metrics.VIDEO_NAMESPACE, metrics.WORKERS_NAMESPACE]
        grant_pattern(
            self.function,
            actions=["cloudwatch:PutMetricData"],
            arns=["*"],
            conditions={"StringEquals": {"cloudwatch:namespace": namespaces}},
            reason=NO_RESOURCE,
        )

    def _grant_sizing(self, groups: Sequence[str]) -> None:
        """Raw statements: describing knows no resource, and the groups are another stack's."""
        grant_pattern(
            self.function,
            actions=["autoscaling:DescribeAutoScalingGroups"],
            arns=["*"],
            reason=NO_RESOURCE,
        )
        grant_pattern(
            self.function,
            actions=["autoscaling:SetDesiredCapacity"],
            arns=[group_arn(self, group) for group in groups],
            reason=KNOWN_BY_NAME,
        )

    def _depth_alarm(self, fleet: FleetRules, place: Place) -> cloudwatch.Alarm:
        return alarm(
            self,
            f"{fleet.kind.title()}DepthSilenceAlarm",
            place=place,
            metric=depth_metric(place.environment, fleet.kind, statistic="SampleCount"),
            threshold=1,
            above=False,
            periods=SILENT_MINUTES,
            missing_is_bad=True,
            meaning=f"QueueDepth of {fleet.kind} is no longer published: SQS is not counted.",
            runbook="a-metric-is-no-longer-published",
        )


def backlog_metric(environment: str, *, statistic: str = "Maximum") -> cloudwatch.Metric:
    """Return BacklogCount as the documented query reads it, over one minute."""
    return cloudwatch.Metric(
        namespace=metrics.VIDEO_NAMESPACE,
        metric_name=metrics.BACKLOG_COUNT,
        dimensions_map=metrics.backlog_dimension_sets(environment)[0],
        period=cdk.Duration.minutes(1),
        statistic=statistic,
    )


def depth_metric(environment: str, kind: str, *, statistic: str = "Maximum") -> cloudwatch.Metric:
    """Return QueueDepth of a worker kind over one minute."""
    return cloudwatch.Metric(
        namespace=metrics.WORKERS_NAMESPACE,
        metric_name=metrics.QUEUE_DEPTH,
        dimensions_map=metrics.worker_dimensions(environment, kind),
        period=cdk.Duration.minutes(1),
        statistic=statistic,
    )
