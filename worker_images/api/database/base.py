"""The database backend; Django imports `base` of the package that ENGINE names."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS
from django.db.backends.postgresql import base

from worker_images.api.circuit import Circuit
from worker_images.api.database.patience import make_impatient
from worker_images.base.password import Password, database_password

#: Seconds in which no request tries to connect to a database that could not be reached.
OPEN_S = 5.0

primary = Circuit("database", OPEN_S)


@cache
def password() -> Password:
    """Return the process's password: what one thread has learnt, all know. The replica's, too."""
    return database_password(settings.API.database)


class DatabaseWrapper(base.DatabaseWrapper):
    """Connects with the password that works, and not at all to a primary known to be down.

    `looks_anyway` is for who must know whether it still is.
    """

    looks_anyway = False

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        if self.alias != DEFAULT_DB_ALIAS:
            return self._connected(conn_params, lambda error: None)
        if not self.looks_anyway and not primary.admits():
            raise psycopg.OperationalError(f"the database did not answer {OPEN_S:g} s ago")
        try:
            made = self._connected(conn_params, primary.failed)
        except psycopg.OperationalError as error:
            primary.failed(error)
            raise
        primary.worked()
        return made

    def _connected(self, conn_params: dict[str, Any], gave_up: Callable[[Exception], None]) -> Any:
        connect = super().get_new_connection
        made = password().connect(lambda value: connect({**conn_params, "password": value}))
        make_impatient(made, gave_up)
        return made
