"""Wait for a condition instead of for a time."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(condition: Callable[[], object], *, timeout_s: float = 30.0) -> None:
    """Return as soon as `condition` holds.

    Raises: AssertionError when it does not within `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"did not come true within {timeout_s} s"
        time.sleep(0.02)
