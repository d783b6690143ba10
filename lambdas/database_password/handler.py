"""Secrets Manager's rotation function for the database: one step an event."""

from __future__ import annotations

import logging
import os
import time
from typing import Any

import boto3
from botocore.config import Config

from lambdas.database_password.request import RotationRefused, parse
from lambdas.database_password.steps import Rotation

INSTANCE = "DB_INSTANCE"
_CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 4})


def handler(event: dict[str, Any], context: Any) -> None:
    """Do a step. What it raises fails the step, which Secrets Manager then repeats."""
    logging.basicConfig(format="%(levelname)s %(message)s")
    logging.getLogger("lambdas").setLevel(logging.INFO)
    instance = os.environ.get(INSTANCE, "")
    if not instance:
        raise RotationRefused(f"environment variable {INSTANCE} is missing or empty")
    Rotation(
        secrets=boto3.client("secretsmanager", config=_CONFIG),
        rds=boto3.client("rds", config=_CONFIG),
        instance=instance,
        seconds_left=lambda: float(context.get_remaining_time_in_millis()) / 1000,
        sleep=time.sleep,
    ).run(parse(event))
