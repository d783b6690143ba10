"""A roster's students in the database: created, restored, enrolled and planned, all or none."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from config.contracts.excel_jobs import EnrolmentPayload
from worker_images.ai.excel import enrol_sql as sql
from worker_images.base.errors import BadInput

_COPY_BYTES = 256 * 1024
_NO_LECTURE = ("LECTURE_GONE", "강의를 찾을 수 없습니다. 삭제된 강의인지 확인해 주세요.")
_NO_SESSION = ("SESSION_GONE", "강의에 그 차시가 없습니다. 삭제된 차시인지 확인해 주세요.")


@dataclass(frozen=True)
class Enrolled:
    """What an enrolment changed, and how many students it found as they should be."""

    students_count: int
    created_students_count: int
    restored_students_count: int
    enrolled_count: int
    already_enrolled_count: int
    attendance_count: int


def enrol(cursor: Any, payload: EnrolmentPayload, roster: Path, password: str) -> Enrolled:
    """Enrol the students of a file in PostgreSQL's text format, in the cursor's transaction.

    `password` is the hash that created and restored students get. Costs two temporary tables in
    the database and a buffer here, however long the roster is. Running it again changes nothing.

    Raises: BadInput when the lecture or its session is gone.
    """
    values = {**asdict(payload), "password": password}
    _lock(cursor, values)
    cursor.execute(sql.CREATE_ROSTER)
    with roster.open("rb") as file, cursor.copy(sql.COPY_ROSTER) as copy:
        while block := file.read(_COPY_BYTES):
            copy.write(block)
    students = cursor.execute(sql.CREATE_INCOMING).rowcount
    cursor.execute(sql.ANALYZE_INCOMING)
    restored = cursor.execute(sql.RESTORE_STUDENTS, values).rowcount
    created = cursor.execute(sql.CREATE_STUDENTS, values).rowcount
    enrolled = cursor.execute(sql.ENROL, values).rowcount
    planned = 0
    if payload.session_id is not None:
        planned = cursor.execute(sql.PLAN_ATTENDANCE, values).rowcount
    return Enrolled(
        students_count=students,
        created_students_count=created,
        restored_students_count=restored,
        enrolled_count=enrolled,
        already_enrolled_count=students - enrolled,
        attendance_count=planned,
    )


def _lock(cursor: Any, values: dict[str, Any]) -> None:
    """Take the tenant's turn, and see that the lecture and the session stay meanwhile."""
    cursor.execute(sql.LOCK_TENANT, values)
    if cursor.execute(sql.FIND_LECTURE, values).fetchone() is None:
        raise BadInput(*_NO_LECTURE)
    if values["session_id"] is None:
        return
    if cursor.execute(sql.FIND_SESSION, values).fetchone() is None:
        raise BadInput(*_NO_SESSION)
