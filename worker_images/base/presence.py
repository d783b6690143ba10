"""A worker's row in the table `workers`: what it does, and that it lives.

The columns are those of the API's `Worker`. The times are the database's own, since they are
compared there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from config.contracts.fleet_facts import SIGN_EVERY_S, WorkerState
from worker_images.base.clock import Clock
from worker_images.base.leaving import Leave, Phase
from worker_images.base.logging import logger

_log = logger("presence")
#: How often to look whether the state has changed: short jobs change it many times a second.
_LOOK_EVERY_S = 1.0
#: How long the end of a worker waits for its row to go.
_FAREWELL_S = 5.0
_DRAINING = (Phase.FINISHING, Phase.HANDING_BACK)
_LEAVING = (Phase.UNPROTECTING, Phase.TERMINATING, Phase.ENDED)
_WRITE = """
    INSERT INTO workers (instance_id, kind, state, jobs, version, spot_notice_at)
    VALUES (%(instance_id)s, %(kind)s, %(state)s, %(jobs)s, %(version)s,
        CASE WHEN %(lost)s THEN now() END)
    ON CONFLICT (instance_id) DO UPDATE SET
        state = EXCLUDED.state, jobs = EXCLUDED.jobs, version = EXCLUDED.version, seen_at = now(),
        spot_notice_at = COALESCE(workers.spot_notice_at, EXCLUDED.spot_notice_at)
"""
#: The row of an instance that EC2 took stays: its loss is counted.
_REMOVE = "DELETE FROM workers WHERE instance_id = %s AND spot_notice_at IS NULL"


@dataclass(frozen=True)
class Sign:
    """What a worker says of itself. `lost` once EC2 has announced to take its instance,
    or it leaves because EC2 recommends it."""

    state: WorkerState
    jobs: int
    version: str
    lost: bool


def state_of(leave: Leave, jobs: int) -> WorkerState:
    """Return the state of a worker with so many jobs in hand."""
    if leave.phase in _LEAVING:
        return WorkerState.LEAVING
    if leave.phase in _DRAINING:
        return WorkerState.DRAINING
    return WorkerState.BUSY if jobs else WorkerState.IDLE


class Presence(Protocol):
    """Where a worker signs."""

    def start(self, sign: Callable[[], Sign]) -> None:
        """Write what `sign` returns every SIGN_EVERY_S seconds and when its state has changed."""
        ...

    def end(self) -> None:
        """The worker has ended."""
        ...


class NullPresence:
    """A worker outside a group is nobody's to size or to end."""

    def start(self, sign: Callable[[], Sign]) -> None:
        """Nothing is written."""

    def end(self) -> None:
        """Nothing is removed."""


@dataclass
class Row:
    """`Presence` in PostgreSQL, from a thread of its own: nobody waits for a database but that."""

    cursor: Callable[[], AbstractContextManager[Any]]
    clock: Clock
    instance_id: str
    kind: str
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _last: Sign | None = None
    _tried_at: float = float("-inf")

    def start(self, sign: Callable[[], Sign]) -> None:
        self._thread = threading.Thread(
            target=self._loop, args=(sign,), name="presence", daemon=True
        )
        self._thread.start()

    def end(self) -> None:
        """Remove the row; a database that is away keeps nobody for longer than a moment."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(_FAREWELL_S)

    def look(self, sign: Sign) -> None:
        """Write a sign if it is due. One that could not be written is due again after a while."""
        now, last = self.clock.monotonic(), self._last
        changed = last is not None and (last.state, last.lost) != (
            sign.state,
            sign.lost,
        )
        if not changed and now - self._tried_at < SIGN_EVERY_S:
            return
        self._tried_at, self._last = now, None
        self._execute(_WRITE, {"instance_id": self.instance_id, "kind": self.kind, **asdict(sign)})
        self._last = sign

    def _loop(self, sign: Callable[[], Sign]) -> None:
        away = False
        while True:
            ended = self._ended.wait(_LOOK_EVERY_S)
            try:
                self.look(sign())
                if ended:
                    self._execute(_REMOVE, (self.instance_id,))
                away = False
            except Exception as error:
                if not away:
                    _log.warning("no sign of life written", error=repr(error))
                away = True
            if ended:
                return

    def _execute(self, statement: str, parameters: Any) -> None:
        with self.cursor() as cursor:
            cursor.execute(statement, parameters)
