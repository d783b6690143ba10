"""The metric function: event in, number of looks out. Wires the pure modules to AWS.

A fleet that cannot be looked at is logged and left as it is; the others go on.
"""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from config.contracts.fleet_rules import FleetRules
from lambdas.queue_depth_metric import backlog, fleets, publish, ticks
from lambdas.queue_depth_metric.api import BacklogApi, SecretKey
from lambdas.queue_depth_metric.environment import FunctionSettings, load_settings
from lambdas.queue_depth_metric.sizing import Facts, Work, decide

log = logging.getLogger(__name__)


class Context(Protocol):
    """The part of Lambda's context that is used."""

    def get_remaining_time_in_millis(self) -> int: ...


@dataclass(frozen=True)
class Function:
    """The function with its clients, kept for the life of a container."""

    settings: FunctionSettings
    api: BacklogApi
    sqs: Any
    cloudwatch: Any
    autoscaling: Any

    def look(self) -> None:
        """Look at every fleet once."""
        for fleet in self.settings.fleets:
            try:
                self._look_at(fleet)
            except (BotoCoreError, ClientError):
                log.exception("fleet left as it is | group=%s", fleet.group)

    def _look_at(self, fleet: FleetRules) -> None:
        measured = backlog.measure(
            fleet, self.api.backlog, lambda each: backlog.queue_depth(self.sqs, each)
        )
        if measured.backlog is None:
            log.error(
                "no backlog from any source: nothing published, nothing changed | group=%s",
                fleet.group,
            )
            return
        self._publish(fleet, measured)
        capacity = fleets.capacity(self.autoscaling, fleet.group)
        if capacity is None:
            log.error("no such Auto Scaling group | group=%s", fleet.group)
            return
        desired = decide(Facts(Work(measured.backlog, 0), capacity), fleet)
        if desired is not None:
            fleets.raise_to(self.autoscaling, fleet.group, desired)
            log.info(
                "capacity raised | group=%s | from=%d | to=%d | backlog=%d",
                fleet.group,
                capacity.desired,
                desired,
                measured.backlog,
            )

    def _publish(self, fleet: FleetRules, measured: backlog.Measured) -> None:
        """Publish; a failure is logged alone, since jobs need capacity more than a graph."""
        try:
            publish.publish(self.cloudwatch, self.settings.environment, fleet, measured)
        except (BotoCoreError, ClientError):
            log.exception("metrics not published | group=%s", fleet.group)


def handler(event: object, context: Context) -> dict[str, int]:
    """Look at the backlog until the run's time is used up."""
    _configure_logging()
    function = build()
    looks = ticks.run(
        function.look,
        remaining_s=lambda: context.get_remaining_time_in_millis() / 1000,
        tick_s=function.settings.tick_s,
        clock=time,
    )
    return {"looks": looks}


@cache
def build() -> Function:
    """Return the function as its environment describes it. Raises: EnvironmentInvalid."""
    settings = load_settings(os.environ)
    # A slow answer is worth less than the next look.
    config = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1})
    secrets = boto3.client("secretsmanager", config=config)
    key = SecretKey(
        lambda: str(secrets.get_secret_value(SecretId=settings.key_arn)["SecretString"])
    )
    return Function(
        settings=settings,
        api=BacklogApi(settings.api_url, key),
        sqs=boto3.client("sqs", config=config),
        cloudwatch=boto3.client("cloudwatch", config=config),
        autoscaling=boto3.client("autoscaling", config=config),
    )


def _configure_logging() -> None:
    """Log from INFO up. Lambda's runtime brings a handler of its own."""
    logging.basicConfig(format="%(levelname)s %(message)s")
    logging.getLogger("lambdas").setLevel(logging.INFO)
