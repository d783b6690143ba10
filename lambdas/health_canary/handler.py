"""The canary: any event in, `config.contracts.health.Answer` out."""

from __future__ import annotations

import logging
import os
import time
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from config.contracts.health import NAMESPACE, Answer
from lambdas.health_canary.environment import load_settings
from lambdas.health_canary.probe import look
from lambdas.health_canary.publish import data

log = logging.getLogger(__name__)


def handler(event: object, context: object) -> Answer:
    """Look once and publish. A metric that cannot be published fails the run, so it alarms.

    Raises: EnvironmentInvalid; botocore's errors.
    """
    _configure_logging()
    settings = load_settings(os.environ)
    answer = look(settings.url, time.monotonic)
    log.log(
        logging.INFO if answer["up"] else logging.ERROR,
        "health | up=%s | hop=%s | reason=%s | failed=%s | latency_ms=%s",
        answer["up"],
        answer["hop"],
        answer["reason"],
        ",".join(answer["failed"]),
        answer["latency_ms"],
    )
    _cloudwatch().put_metric_data(
        Namespace=NAMESPACE, MetricData=data(settings.environment, answer)
    )
    return answer


@cache
def _cloudwatch() -> Any:
    return boto3.client("cloudwatch", config=Config(connect_timeout=3, read_timeout=5))


def _configure_logging() -> None:
    """Log from INFO up. Lambda's runtime brings a handler of its own."""
    logging.basicConfig(format="%(levelname)s %(message)s")
    logging.getLogger("lambdas").setLevel(logging.INFO)
