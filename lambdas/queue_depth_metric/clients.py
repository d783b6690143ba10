"""The clients of AWS that the function calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from lambdas.queue_depth_metric.budget import CONNECT_S, READ_S

#: A slow answer is worth less than the next look. All fleets call at once.
CONFIG = Config(
    connect_timeout=CONNECT_S,
    read_timeout=READ_S,
    retries={"total_max_attempts": 1},
    max_pool_connections=10,
)


@dataclass(frozen=True)
class Clients:
    """botocore's clients, which threads may share.

    https://docs.aws.amazon.com/boto3/latest/guide/clients.html#multithreading-or-multiprocessing-with-clients
    """

    sqs: Any
    cloudwatch: Any
    autoscaling: Any
    logs: Any


def open_clients() -> Clients:
    """Return clients of the function's own region."""
    return Clients(
        sqs=boto3.client("sqs", config=CONFIG),
        cloudwatch=boto3.client("cloudwatch", config=CONFIG),
        autoscaling=boto3.client("autoscaling", config=CONFIG),
        logs=boto3.client("logs", config=CONFIG),
    )
