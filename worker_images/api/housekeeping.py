"""What one relay of all does every minute: it sweeps, and forgets old messages and workers."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from django.db import DatabaseError, connection

from worker_images.base.logging import logger

_log = logger("housekeeping")
EVERY_S = 60.0
#: Any number of its own, the same in every process: "sweeper" in ASCII.
_LOCK = 0x73776565706572


class Leader:
    """Holds PostgreSQL's advisory lock for as long as its thread's connection lives.

    https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
    """

    def __init__(self) -> None:
        self._session: object = None

    def leads(self) -> bool:
        """Whether this process holds the lock, taken now if it is free."""
        connection.ensure_connection()
        if self._session is not None and self._session is connection.connection:
            return True
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
            (held,) = cursor.fetchone()
        self._session = connection.connection if held else None
        return bool(held)


def keep_house(stop: Event, tasks: Callable[[], None], *, every_s: float = EVERY_S) -> None:
    """Run `tasks` now and then until `stop` is set, in one process at a time.

    A failure is logged and tried again the next time; with the connection the lock is free.
    """
    leader = Leader()
    while not stop.is_set():
        try:
            if leader.leads():
                tasks()
        except DatabaseError as error:
            connection.close()
            _log.error("not swept, the database failed", reason=str(error))
        except Exception:
            _log.error("not swept", exc_info=True)
        stop.wait(every_s)
    connection.close()
