"""A fresh embedded AWS in this process: every service and the engine, nothing that listens."""

from __future__ import annotations

import pytest

from local.clock import ManualClock
from local.server import EmbeddedAws, build

PORT = 4566


@pytest.fixture
def clock() -> ManualClock:
    """The time of the embedded AWS's own services."""
    return ManualClock()


@pytest.fixture
def aws(clock: ManualClock) -> EmbeddedAws:
    """An embedded AWS; `aws.clients.client("sqs")` is a boto3 client of it. It has no hosts."""
    return build(port=PORT, clock=clock)
