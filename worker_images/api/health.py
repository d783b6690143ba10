"""Whether each dependency answers, all of them asked at once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock

from django.core.cache import cache
from django.db import DEFAULT_DB_ALIAS, connections

from worker_images.api import ports
from worker_images.api.outbox import VIDEO_QUEUE

#: The answer comes within this, whatever hangs.
DEADLINE_S = 4.0
OK = "ok"
_HUNG = f"no answer within {DEADLINE_S:g} s"
_REASON_CHARACTERS = 200

Check = Callable[[], None]


class Health:
    """Runs named checks in parallel. One that still hangs from before is not started again."""

    def __init__(self, checks: Mapping[str, Check], deadline_s: float = DEADLINE_S) -> None:
        self._checks = checks
        self._deadline_s = deadline_s
        self._executor = ThreadPoolExecutor(len(checks), thread_name_prefix="health")
        self._running: dict[str, Future[None]] = {}
        self._lock = Lock()

    def report(self) -> dict[str, str]:
        """Return `ok` or the reason for every dependency."""
        with self._lock:
            for name, check in self._checks.items():
                if name not in self._running or self._running[name].done():
                    self._running[name] = self._executor.submit(check)
            futures = dict(self._running)
        wait(futures.values(), timeout=self._deadline_s)
        return {name: _outcome(future) for name, future in futures.items()}


def check_database() -> None:
    """One query over a connection of its own, however lately the database was found down."""
    connection = connections.create_connection(DEFAULT_DB_ALIAS)
    connection.looks_anyway = True
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def check_redis() -> None:
    """What was written must be read back."""
    value = uuid.uuid4().hex
    key = f"health:{value}"
    cache.set(key, value, timeout=10)
    if cache.get(key) != value:
        raise ConnectionError("a value written to Redis was not read back")


def check_storage() -> None:
    """One listing of a prefix that nothing uses: it fails where the bucket is missing."""
    next(iter(ports.storage().list_keys("health/")), None)


def check_queue() -> None:
    """The queue exists, and the role may ask for it."""
    ports.sender().url(VIDEO_QUEUE)


CHECKS: Mapping[str, Check] = {
    "database": check_database,
    "redis": check_redis,
    "storage": check_storage,
    "queue": check_queue,
}


def _outcome(future: Future[None]) -> str:
    if not future.done():
        return _HUNG
    error = future.exception()
    if error is None:
        return OK
    return f"{type(error).__name__}: {error}"[:_REASON_CHARACTERS]
