"""Migrations, once a release, whoever starts first."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from django.db import connection

from worker_images.api.models import Release

#: Any number, the same in every process: "academy" in ASCII.
_LOCK = 0x61636164656D79
#: Another container's migrations may take this long before this one gives up.
WAIT_S = 600


def migrate_once(tag: str, migrate: Callable[[], None]) -> bool:
    """Run `migrate` unless release `tag` has done so; False when it had.

    Containers that start together wait for one another under a PostgreSQL advisory lock, which
    ends with its session, so a container that dies leaves nothing locked.

    Raises: django.db.OperationalError when the lock is not free within WAIT_S.
    """
    with closing(connection.cursor()) as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(f"SET lock_timeout = '{WAIT_S}s'")
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        cursor.execute("SET lock_timeout = 0")
    try:
        if _is_recorded(tag):
            return False
        migrate()
        Release.objects.get_or_create(tag=tag)
        return True
    finally:
        # Also ends the session, and with it the lock.
        connection.close()


def _is_recorded(tag: str) -> bool:
    table = Release._meta.db_table
    exists = table in connection.introspection.table_names()
    return exists and Release.objects.filter(pk=tag).exists()
