"""Changes of students' rows that are listed before they are made, and made exactly as listed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db import connection, transaction

from worker_images.api.models import Student

#: A table's moves set this column.
_OWNERS = {"attendance": "enrollment_id", "enrollments": "student_id"}
#: In this order no unique constraint is broken on the way.
_ORDER = (
    ("delete", "attendance"),
    ("move", "attendance"),
    ("delete", "enrollments"),
    ("move", "enrollments"),
    ("delete", "students"),
)


#: Longer than a roster takes; whoever would write waits behind us meanwhile.
_WAIT = "'30s'"


@dataclass(frozen=True)
class Change:
    """One row that is deleted, or moved to another owner: an enrolment's student, say."""

    action: Literal["delete", "move"]
    table: str
    id: int
    to: int | None = None


@dataclass(frozen=True)
class StudentRow:
    """A row of students, for whoever has to recognise the student."""

    id: int
    tenant_id: int
    name: str
    phone: str
    parent_phone: str
    deleted_at: datetime | None

    def key(self) -> tuple[int, str, str, str]:
        """Return what makes two rows one student."""
        return self.tenant_id, self.name, self.phone, self.parent_phone

    def __str__(self) -> str:
        ends = " ".join(f"…{phone[-4:]}" for phone in (self.phone, self.parent_phone) if phone)
        state = f"deleted {self.deleted_at:%Y-%m-%d}" if self.deleted_at else "not deleted"
        return f"student {self.id} of tenant {self.tenant_id}: {self.name} {ends}, {state}"


@dataclass(frozen=True)
class Section:
    """One part of a plan: the rows that go, the one that stays in their stead, every change."""

    gone: tuple[StudentRow, ...]
    changes: tuple[Change, ...]
    kept: StudentRow | None = None


def student_rows(students: Iterable[Student]) -> list[StudentRow]:
    """Return students as they are shown."""
    return [
        StudentRow(
            student.pk,
            student.tenant_id,
            student.name,
            student.phone,
            student.parent_phone,
            student.deleted_at,
        )
        for student in students
    ]


@contextmanager
def only_reading() -> Iterator[None]:
    """Look at one moment of the tables, without any means to change them."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL statement_timeout = 0")
        yield


@contextmanager
def nobody_else_writes() -> Iterator[None]:
    """Hold the three tables in a transaction: what is found in it is still so when it is changed.

    Readers go on. Raises: OperationalError when a writer does not end within `_WAIT`.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {_WAIT}")
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("LOCK TABLE students, enrollments, attendance IN SHARE ROW EXCLUSIVE MODE")
        yield


def make(changes: Iterable[Change]) -> None:
    """Make the changes and no other, within `nobody_else_writes`.

    Nothing cascades: a row that still refers to a deleted one ends the transaction at its commit.
    Raises: RuntimeError when a row was not there.
    """
    ids: defaultdict[tuple[str, str, int | None], list[int]] = defaultdict(list)
    for change in changes:
        ids[change.action, change.table, change.to].append(change.id)
    for step in _ORDER:
        for (action, table, to), found in ids.items():
            if (action, table) == step:
                _make(table, to, found)


def totals(changes: Iterable[Change]) -> dict[str, int]:
    """Return how many rows of each table are deleted and moved: `{"delete students": 2}`."""
    counted = Counter(f"{change.action} {change.table}" for change in changes)
    return {name: counted[name] for name in (" ".join(step) for step in _ORDER)}


def _make(table: str, to: int | None, ids: list[int]) -> None:
    with connection.cursor() as cursor:
        if to is None:
            cursor.execute(f"DELETE FROM {table} WHERE id = ANY(%s)", [ids])  # noqa: S608 - ours
        else:
            owner = _OWNERS[table]
            cursor.execute(
                f"UPDATE {table} SET {owner} = %s WHERE id = ANY(%s)",  # noqa: S608 - ours
                [to, ids],
            )
        if cursor.rowcount != len(ids):
            raise RuntimeError(f"{cursor.rowcount} of {len(ids)} rows of {table} were there")
