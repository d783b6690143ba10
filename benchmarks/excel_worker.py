"""`python -m benchmarks.excel_worker DATABASE FILE`: enrols a roster as a worker does, once.

The process of benchmarks/excel.py whose memory counts: it imports what the handler imports, and
nothing that makes the file.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from config.contracts.ai_jobs import AiJob
from config.contracts.storage_keys import excel_upload_key
from worker_images.ai.excel.parse import ParseExcel
from worker_images.base.testing import MemoryStorage, context


class FileStorage(MemoryStorage):
    """A bucket whose one object is a file, which it keeps."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def get_file(self, key: str, path: Path) -> None:
        shutil.copyfile(self._path, path)


def main() -> None:
    """Enrol the file's students, all of them new."""
    address, path = sys.argv[1], Path(sys.argv[2])
    job_id = str(uuid4())
    with psycopg.connect(address, autocommit=True) as connection:
        title = "INSERT INTO lectures (tenant_id, title) VALUES (1, '') RETURNING id"
        row = connection.execute(title).fetchone()
        lecture_id = row[0] if row else 0
        connection.execute(
            "INSERT INTO ai_jobs (id, tenant_id, job_type, tier, payload)"
            " VALUES (%s, 1, 'excel_parsing', 'basic', '{}')",
            (job_id,),
        )

        @contextmanager
        def transaction() -> Iterator[Any]:
            with connection.transaction(), connection.cursor() as cursor:
                yield cursor

        payload = {
            "file_key": excel_upload_key(1, "0"),
            "tenant_id": 1,
            "lecture_id": lecture_id,
            "initial_password": "measured",
        }
        job = AiJob(job_id, "excel_parsing", "basic", payload, 1, "", "", "")
        result = ParseExcel(FileStorage(path))(job, context(transactions=transaction))
    print(dict(result.values))


if __name__ == "__main__":
    main()
