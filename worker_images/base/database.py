"""A worker's connection to PostgreSQL: opened late, reopened when it broke."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from worker_images.base.password import database_password
from worker_images.base.settings import DatabaseSettings

_CONNECT_TIMEOUT_S = 10
#: A server that vanished without a word (a failover) is given up within a minute; Linux alone would
#: wait for two hours. https://www.postgresql.org/docs/current/libpq-connect.html
LIVENESS: dict[str, Any] = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


class Database:
    """Cursors on one autocommitting connection, shared by the worker's threads.

    psycopg serialises the statements of a connection. One that broke is dropped, so that the
    next cursor opens another; the broken statement's error goes to the caller.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._connection: psycopg.Connection[Any] | None = None

    @contextmanager
    def cursor(self) -> Iterator[psycopg.Cursor[Any]]:
        """Yield a cursor whose statements commit by themselves."""
        with self._usable().cursor() as cursor:
            yield cursor

    def close(self) -> None:
        """Close the connection, if one is open."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _usable(self) -> psycopg.Connection[Any]:
        with self._lock:
            if self._connection is None or self._connection.closed:
                self._connection = self._connect()
            return self._connection


def open_database(settings: DatabaseSettings) -> Database:
    """Return the database that the settings name; it connects at first use."""
    password = database_password(settings)

    def connect(value: str) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=settings.host,
            port=settings.port,
            dbname=settings.name,
            user=settings.user,
            password=value,
            sslmode=settings.sslmode,
            autocommit=True,
            connect_timeout=_CONNECT_TIMEOUT_S,
            application_name="academy-worker",
            **LIVENESS,
        )

    return Database(lambda: password.connect(connect))
