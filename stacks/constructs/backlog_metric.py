"""The function that publishes the backlog and adds workers, and the alarm on its silence."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from config.contracts import names, queues
from config.contracts.fleet_rules import FleetRules, encode_rules
from stacks.constructs.controller_alarms import breaker_alarm, silence_alarm
from stacks.constructs.controller_grants import grant_boots, grant_publish, grant_sizing
from stacks.constructs.function_alarms import function_alarms
from stacks.constructs.job_queue import JobQueue
from stacks.constructs.parameters import grant_secret_value
from stacks.constructs.platform_stack import Place
from stacks.constructs.python_lambda import PythonLambda


class BacklogMetric(Construct):
    """Function and rule under their documented names, run each minute, never twice at once.

    It stands outside the VPC and asks the API at its public address. The internal key is read from
    its secret at run time: the environment holds the ARN. It may size the named groups alone, read
    the boot records in `boot_logs`, and publish to our two namespaces alone. A run that fails is
    not repeated: the next minute's is due. Of each fleet an alarm tells when nothing is published,
    another when its boots fail in a row.
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
        boot_logs: Sequence[logs.ILogGroup],
        tick_s: int,
    ) -> None:
        super().__init__(scope, identifier)
        environment = place.environment
        packed = PythonLambda(
            self,
            "QueueDepth",
            package="queue_depth_metric",
            function_name=names.physical_name(environment, names.METRIC_FUNCTION),
            description="Publishes the backlog and sizes the fleets",
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
            # Python with its five clients takes 52 MB. It runs all day: up to 160 stays within what
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
        grant_publish(self.function)
        grant_sizing(self.function, self, fleets)
        grant_boots(self.function, self, fleets, boot_logs)
        events.Rule(
            self,
            "Rate",
            rule_name=names.physical_name(environment, names.METRIC_RULE),
            description="Each minute: look at the queues",
            schedule=events.Schedule.rate(cdk.Duration.minutes(1)),
            targets=[targets.LambdaFunction(self.function, retry_attempts=0)],
        )
        alarms = (silence_alarm, breaker_alarm)
        self.alarms = [each(self, fleet, place=place) for fleet in fleets for each in alarms]
        self.alarms += function_alarms(self, packed.function, place=place, runs_each_minute=True)
