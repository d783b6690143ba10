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
    """Cursors, each on an autocommitting connection that nobody else uses meanwhile.

    A connection that is given back serves the next cursor, so that a process holds as many as it
    ever used at once. When a statement's connection broke, the idle ones are as old: all are
    dropped, and the error goes to the caller.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._idle: list[psycopg.Connection[Any]] = []

    @contextmanager
    def cursor(self) -> Iterator[psycopg.Cursor[Any]]:
        """Yield a cursor whose statements commit by themselves."""
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = self._connect()
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            if connection.closed:
                self.close()
            else:
                with self._lock:
                    self._idle.append(connection)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


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
