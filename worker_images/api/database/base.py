"""The database backend; Django imports `base` of the package that ENGINE names."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.db.backends.postgresql import base

from worker_images.base.password import Password, database_password


@cache
def password() -> Password:
    """Return the process's password: what one thread has learnt, all know."""
    return database_password(settings.API.database)


class DatabaseWrapper(base.DatabaseWrapper):
    """Connects with the password that works."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connect = super().get_new_connection
        return password().connect(lambda value: connect({**conn_params, "password": value}))
