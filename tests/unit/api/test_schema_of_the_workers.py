"""The workers' tests run on a copy of the tables they touch; it must be the migrations' own."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection

COPY = Path(__file__).parents[1] / "worker_base" / "schema.sql"
COLUMNS = """
SELECT table_name, column_name, data_type, is_nullable
FROM information_schema.columns
WHERE table_schema = %s AND table_name IN ('videos', 'video_jobs')
"""


@pytest.mark.usefixtures("database")
def test_every_column_of_the_copy_is_as_the_migrations_make_it() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA copy")
        try:
            cursor.execute("SET search_path TO copy")
            cursor.execute(COPY.read_text())
            cursor.execute(COLUMNS, ["copy"])
            copied = set(cursor.fetchall())
            cursor.execute(COLUMNS, ["public"])
            migrated = set(cursor.fetchall())
        finally:
            cursor.execute("SET search_path TO public")
            cursor.execute("DROP SCHEMA copy CASCADE")
    assert copied
    assert copied <= migrated, copied - migrated
