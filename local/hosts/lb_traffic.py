"""What load balancers answered, kept until CloudWatch gets it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Exchange:
    """One answered request. `group` is the target group, None when the balancer itself answered.

    `seconds` passed until the target began to answer.
    """

    balancer: str
    group: str | None
    status: int
    seconds: float


class Traffic:
    """The exchanges since the last look. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._exchanges: list[Exchange] = []

    def add(self, balancer: str, group: str | None, status: int, seconds: float) -> None:
        """Remember one exchange; balancer and group by ARN."""
        with self._lock:
            self._exchanges.append(Exchange(balancer, group, status, seconds))

    def taken(self) -> Sequence[Exchange]:
        """Return the exchanges since the last call."""
        with self._lock:
            found, self._exchanges = self._exchanges, []
        return found
