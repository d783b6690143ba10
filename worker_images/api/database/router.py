"""Which database answers a query: the primary, but for reads while it is down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import DEFAULT_DB_ALIAS

REPLICA = "replica"

_from_replica: ContextVar[bool] = ContextVar("from_replica", default=False)


@contextmanager
def replica_reads() -> Iterator[None]:
    """Send this context's reads to the replica."""
    token = _from_replica.set(True)
    try:
        yield
    finally:
        _from_replica.reset(token)


class ReplicaReads:
    """Django's DATABASE_ROUTERS, where there is a replica."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return REPLICA if _from_replica.get() else DEFAULT_DB_ALIAS

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == DEFAULT_DB_ALIAS
