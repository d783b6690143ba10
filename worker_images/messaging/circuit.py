"""Whether a provider may be handed texts now: one opinion, shared by all workers, in PostgreSQL.

Times are the database's own. A provider without a row, or without failures, is trusted.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from enum import Enum
from typing import Any

from worker_images.messaging import circuit_sql as sql

#: Failures in a row after which nothing is handed over any more.
OPEN_AFTER = 3
#: How long it stays open first; doubled by every probe that fails, up to the longest.
FIRST_OPEN_S, LONGEST_OPEN_S = 10.0, 300.0
#: How long the others wait for the worker that probes.
PROBE_S = 30.0


class Passage(Enum):
    """How a text may be handed over: as usual; after asking the provider; as the one probe."""

    FREE = "free"
    ASK_FIRST = "ask first"
    PROBE = "probe"


class CircuitOpen(Exception):  # noqa: N818 - a state of the provider, not of the caller
    """The provider is left alone for `seconds` more."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"open for {seconds:.0f} s")
        self.seconds = seconds


class Circuit:
    """A provider's circuit breaker. `cursor` yields one whose statements commit by themselves."""

    def __init__(self, cursor: Callable[[], AbstractContextManager[Any]], provider: str) -> None:
        self._cursor = cursor
        self._provider = provider

    def enter(self) -> Passage:
        """Return how a text may be handed over. Raises: CircuitOpen."""
        row = self._one(sql.LOOK)
        if row is None or row[0] == 0:
            return Passage.FREE
        if row[1] is None:
            return Passage.ASK_FIRST
        if row[1] <= 0 and self._one(sql.TAKE_PROBE, probe_s=PROBE_S):
            return Passage.PROBE
        raise CircuitOpen(max(float(row[1]), 1.0) if row[1] > 0 else PROBE_S)

    def failed(self, passage: Passage) -> float | None:
        """Count a failure and return for how many seconds the circuit is open, None when closed.

        While it is open, late failures of others change nothing.
        """
        row = self._one(
            sql.FAILED,
            probe=passage is Passage.PROBE,
            open_after=OPEN_AFTER,
            first_s=FIRST_OPEN_S,
            longest_s=LONGEST_OPEN_S,
        )
        return None if row is None or row[0] is None else float(row[0])

    def answered(self, passage: Passage) -> bool:
        """Forget all failures; return whether that ends an episode that was told.

        While it is open, late answers to others change nothing: only the probe closes it.
        """
        if passage is Passage.FREE:
            return False
        row = self._one(sql.ANSWERED, probe=passage is Passage.PROBE)
        return row is not None and row[0]

    def take_alert(self) -> bool:
        """Return True to one caller in an episode: the one that tells the administrators."""
        return self._one(sql.TAKE_ALERT) is not None

    def give_alert_back(self) -> None:
        """The alert did not reach anybody: the next failure shall take it again."""
        self._one(sql.GIVE_ALERT_BACK)

    def _one(self, statement: str, **parameters: object) -> Any:
        with self._cursor() as cursor:
            cursor.execute(statement, {"provider": self._provider, **parameters})
            return cursor.fetchone()
