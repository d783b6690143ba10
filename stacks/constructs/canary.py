"""The uptime canary: a function of ours that asks the public address every 5 minutes."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from config.contracts import health
from config.contracts.api_paths import HEALTH
from config.contracts.parameters import HEALTH_CANARY, found_path
from stacks.constructs.acknowledge import NO_RESOURCE, grant_pattern
from stacks.constructs.alarm import alarm
from stacks.constructs.function_alarms import function_alarms
from stacks.constructs.platform_stack import Place
from stacks.constructs.python_lambda import PythonLambda

EVERY = cdk.Duration.minutes(5)
#: Looks in a row that must fail before somebody is told: one lost packet is none of theirs.
LOOKS = 2


class HealthCanary(Construct):
    """Function, schedule, parameter with its name, and its alarms: down, and silent.

    Not CloudWatch Synthetics: its 8,640 runs a month at 0.0012 USD are 10 USD, this is in Lambda's
    free tier. It stands outside the VPC, as users do, holds no secret, and may publish to its one
    namespace alone. A deploy invokes it by the name in the parameter, and is told the hop.
    """

    def __init__(self, scope: Construct, identifier: str, *, place: Place, public_url: str) -> None:
        super().__init__(scope, identifier)
        self._place = place
        packed = PythonLambda(
            self,
            "Function",
            package="health_canary",
            description="Asks the public address for /health and says which hop failed",
            environment={"HEALTH_URL": public_url + HEALTH, "ENVIRONMENT": place.environment},
            timeout_s=45,
            memory_mb=256,
            log_retention_days=place.log_retention_days,
        )
        self.function = packed.function
        self.function.configure_async_invoke(retry_attempts=0, max_event_age=EVERY)
        self._grant_publish()
        events.Rule(
            self,
            "Schedule",
            description="Every 5 minutes: is the service up?",
            schedule=events.Schedule.rate(EVERY),
            targets=[targets.LambdaFunction(self.function, retry_attempts=0)],
        )
        ssm.StringParameter(
            self,
            "Name",
            parameter_name=found_path(place.environment, HEALTH_CANARY),
            string_value=self.function.function_name,
            description="The function that says whether the service is up, and which hop failed",
        )
        self.alarms = [
            self._up_alarm(
                "DownAlarm",
                statistic="Minimum",
                missing_is_bad=False,
                meaning="The service does not answer /health at its public address.",
                runbook="the-service-is-down",
            ),
            self._up_alarm(
                "SilenceAlarm",
                statistic="SampleCount",
                missing_is_bad=True,
                meaning="The uptime canary no longer reports: nobody knows whether we are up.",
                runbook="a-metric-is-no-longer-published",
            ),
            *function_alarms(self, self.function, place=place),
        ]

    def _up_alarm(
        self, name: str, *, statistic: str, missing_is_bad: bool, meaning: str, runbook: str
    ) -> cloudwatch.Alarm:
        return alarm(
            self,
            name,
            place=self._place,
            metric=health_metric(self._place.environment, health.UP, statistic),
            threshold=1,
            above=False,
            periods=LOOKS,
            missing_is_bad=missing_is_bad,
            meaning=meaning,
            runbook=runbook,
        )

    def _grant_publish(self) -> None:
        """A raw statement: PutMetricData knows no resource, a condition narrows it instead."""
        grant_pattern(
            self.function,
            actions=["cloudwatch:PutMetricData"],
            arns=["*"],
            conditions={"StringEquals": {"cloudwatch:namespace": health.NAMESPACE}},
            reason=NO_RESOURCE,
        )


def health_metric(
    environment: str, name: str, statistic: str, **dimensions: str
) -> cloudwatch.Metric:
    """Return one of the canary's metrics over one of its rounds."""
    return cloudwatch.Metric(
        namespace=health.NAMESPACE,
        metric_name=name,
        dimensions_map={"Environment": environment, **dimensions},
        period=EVERY,
        statistic=statistic,
    )
