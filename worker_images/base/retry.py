"""When failed work is tried again."""

from __future__ import annotations

BACKOFF_FIRST_S = 10.0
BACKOFF_LIMIT_S = 900.0


def backoff_s(attempt: int, jitter: float) -> float:
    """Return the delay before the next attempt: 10 s doubled each time, at most 15 minutes.

    `attempt` counts from 1. `jitter` in [0, 1) takes off up to half, so that what failed
    together returns apart.
    """
    full: float = min(BACKOFF_LIMIT_S, BACKOFF_FIRST_S * 2 ** (max(attempt, 1) - 1))
    return full * (1 - jitter / 2)
