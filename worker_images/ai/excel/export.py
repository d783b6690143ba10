"""The handlers of the exports: a lecture's attendance, a tenant's staff."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from config.contracts import spreadsheets, storage_keys
from config.contracts.ai_jobs import AiJob
from config.contracts.excel_jobs import decode_attendance_export, decode_staff_export
from config.contracts.fields import Undecodable
from worker_images.ai.excel import export_sql as sql
from worker_images.ai.excel.workbook import Cell, write_workbook
from worker_images.base.errors import BadInput
from worker_images.base.storage import Storage
from worker_images.base.work import Context, Result

_FETCHED_ROWS = 1000
_STATES = {"PLANNED": "", "PRESENT": "출석", "LATE": "지각", "ABSENT": "결석"}
_COUNTED = ("PRESENT", "LATE", "ABSENT")
_NO_LECTURE = ("LECTURE_GONE", "강의를 찾을 수 없습니다. 삭제된 강의인지 확인해 주세요.")


@dataclass(frozen=True)
class Sheet:
    """What an export writes; `rows` reads the database while it is iterated."""

    name: str
    titles: Sequence[str]
    rows: Iterator[Sequence[Cell]]


@dataclass(frozen=True)
class _Export:
    """Writes a sheet of one transaction's view to the export's key, then its facts.

    A second run writes the same key. `storage` is the excel bucket, whose lifecycle rule deletes
    exports after a day.
    """

    storage: Storage

    def _write(
        self, job: AiJob, context: Context, file_name: str, sheet: Callable[[Any], Sheet]
    ) -> Result:
        key = storage_keys.excel_export_key(job.tenant_id, UUID(job.job_id).hex, file_name)
        with tempfile.TemporaryDirectory(prefix="academy-excel-") as folder:
            path = Path(folder, "export.xlsx")
            context.report(0.0, "export", None)
            with context.transaction() as cursor:
                found = sheet(cursor)
                rows = write_workbook(path, sheet=found.name, titles=found.titles, rows=found.rows)
            context.cancellation.check()
            context.report(80.0, "upload", None)
            self.storage.put_file(
                key,
                path,
                content_type=spreadsheets.CONTENT_TYPE,
                cache_control=storage_keys.NO_CACHE,
            )
        return Result({"file_key": key, "rows": rows})


class ExportAttendance(_Export):
    """Writes a lecture's students with a column a session. Raises: BadInput."""

    def __call__(self, job: AiJob, context: Context) -> Result:
        values = _values(decode_attendance_export, job)
        name = f"attendance-{values['lecture_id']}"
        return self._write(job, context, name, lambda cursor: _attendance(cursor, values))


class ExportStaff(_Export):
    """Writes a tenant's staff. Raises: BadInput."""

    def __call__(self, job: AiJob, context: Context) -> Result:
        values = _values(decode_staff_export, job)
        return self._write(job, context, "staff", lambda cursor: _staff(cursor, values))


def _values(decode: Callable[[dict[str, Any]], Any], job: AiJob) -> dict[str, Any]:
    try:
        values: dict[str, Any] = vars(decode(job.payload))
    except Undecodable as error:
        raise BadInput("PAYLOAD", f"작업 내용이 올바르지 않습니다: {error}") from error
    if values["tenant_id"] != job.tenant_id:
        raise BadInput("FOREIGN_TENANT", "다른 학원의 자료는 내보낼 수 없습니다.")
    return values


def _attendance(cursor: Any, values: dict[str, Any]) -> Sheet:
    if cursor.execute(sql.LECTURE, values).fetchone() is None:
        raise BadInput(*_NO_LECTURE)
    sessions = cursor.execute(sql.SESSIONS, values).fetchall()
    titles = ["이름", "학교", "학년", "학생 전화", "학부모 전화"]
    titles += [_session_title(*session[1:]) for session in sessions]
    titles += [_STATES[state] for state in _COUNTED]

    def row(*student: str, states: Sequence[str | None]) -> list[Cell]:
        marks = [_STATES[state or "PLANNED"] for state in states]
        counts = [states.count(counted) for counted in _COUNTED]
        return [*student, *marks, *counts]

    found = _streamed(cursor, sql.ATTENDANCE, values)
    return Sheet("출석", titles, (row(*student, states=states) for *student, states in found))


def _staff(cursor: Any, values: dict[str, Any]) -> Sheet:
    def row(name: str, role: str, phone: str, joined: date | None, left: date | None) -> list[Cell]:
        return [name, role, phone, _day(joined), _day(left)]

    titles = ["이름", "직책", "전화", "입사일", "퇴사일"]
    return Sheet("직원", titles, (row(*found) for found in _streamed(cursor, sql.STAFF, values)))


def _session_title(position: int, title: str, held_on: date | None) -> str:
    return " ".join(part for part in (f"{position}회차", title, _day(held_on)) if part)


def _day(value: date | None) -> str:
    return value.isoformat() if value else ""


def _streamed(cursor: Any, query: str, values: dict[str, Any]) -> Iterator[Any]:
    """Yield a query's rows through a cursor of the server's, some at a time."""
    with cursor.connection.cursor(name="export") as rows:
        rows.itersize = _FETCHED_ROWS
        yield from rows.execute(query, values)
