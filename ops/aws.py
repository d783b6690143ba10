"""boto3 clients of one region. AWS_ENDPOINT_URL is boto3's own to read."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

#: An operator waits: fail soon, and say so, rather than retry for minutes.
_CONFIG = Config(connect_timeout=3, read_timeout=20, retries={"total_max_attempts": 3})


@cache
def client(service: str, region: str) -> Any:
    """Return the client of a service, made once."""
    make: Any = boto3.client
    return make(service, region_name=region, config=_CONFIG)
