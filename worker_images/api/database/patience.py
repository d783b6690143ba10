"""How long a request waits for an answer to one statement.

A server that hangs (its disk, its host) keeps its connections open and answers nothing, so that
neither its own statement_timeout nor TCP ends the wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import psycopg
from psycopg.errors import _WaitTimeout

#: Longer than the statement_timeout, which a server that does not hang keeps to by itself.
LIMIT_S = 20.0

_limit_s: ContextVar[float | None] = ContextVar("limit_s", default=None)


@contextmanager
def limited(limit_s: float) -> Iterator[None]:
    """Give up on statements of this context that take longer than `limit_s`."""
    token = _limit_s.set(limit_s)
    try:
        yield
    finally:
        _limit_s.reset(token)


def make_impatient(
    connection: psycopg.Connection[Any], gave_up: Callable[[Exception], None]
) -> None:
    """Let a connection keep to the limit of whoever uses it.

    One that was given up is closed, and `gave_up` told why.
    """
    wait = connection.wait

    def wait_within_limit(gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        limit_s = _limit_s.get()
        if limit_s is None:
            return wait(gen, interval, timeout)
        try:
            return wait(gen, interval, limit_s)
        except _WaitTimeout:
            connection.close()
            error = psycopg.OperationalError(f"no answer from the database in {limit_s:g} s")
            gave_up(error)
            raise error from None

    connection.wait = wait_within_limit  # type: ignore[method-assign]
