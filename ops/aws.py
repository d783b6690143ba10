"""boto3 clients, and the region of each stack. AWS_ENDPOINT_URL is boto3's own to read."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from config.contracts.edges import EDGE_REGION, edge_stack_name
from config.settings import Settings

#: An operator waits: fail soon, and say so, rather than retry for minutes.
_READ_S = 20


@cache
def client(service: str, region: str, *, read_s: float = _READ_S) -> Any:
    """Return the client of a service, made once, which waits `read_s` for an answer."""
    config = Config(connect_timeout=3, read_timeout=read_s, retries={"total_max_attempts": 3})
    make: Any = boto3.client
    return make(service, region_name=region, config=config)


def regions(settings: Settings) -> list[str]:
    """Return the regions in which an environment's stacks stand."""
    edge = [EDGE_REGION] if settings.edge.provider != "none" else []
    return list(dict.fromkeys([settings.aws.region, *edge]))


def region_of(settings: Settings, stack: str) -> str:
    """Return where a stack of an environment stands: the edge's has a region of its own."""
    at_edge = stack == edge_stack_name(settings.environment)
    return EDGE_REGION if at_edge else settings.aws.region


def cloudformation(settings: Settings, stack: str) -> Any:
    """Return the CloudFormation client of a stack's region."""
    return client("cloudformation", region_of(settings, stack))
