"""Deleted students who are there a second time: which row stays, and what becomes of the others.

Rows of a tenant with the same name and telephones are one student. The row that is not deleted
stays, else the one that was deleted last. It takes over the enrolments and the attendance that
only the others have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby

from worker_images.api.models import Attendance, Enrollment, Student
from worker_images.api.student_changes import Change, Section, StudentRow, student_rows

_PLANNED = "PLANNED"

_DUPLICATES = """
SELECT id FROM (
    SELECT id, tenant_id, name, phone, parent_phone, deleted_at, count(*) OVER (
        PARTITION BY tenant_id, name, phone, parent_phone
    ) AS rows
    FROM students
) AS counted
WHERE rows > 1
ORDER BY tenant_id, name, phone, parent_phone, deleted_at DESC NULLS FIRST, id DESC
"""


def find_duplicates() -> list[Section]:
    """Return the plan for the students that stand in the table more than once."""
    rows = student_rows(Student.objects.raw(_DUPLICATES))
    history = _History([row.id for row in rows])
    sections = []
    for _, same in groupby(rows, key=StudentRow.key):
        kept, *others = same
        changes = tuple(_changes(kept, others, history))
        sections.append(Section(tuple(others), changes, kept=kept))
    return sections


class _History:
    """Enrolments by student, and attendance by enrolment."""

    def __init__(self, student_ids: list[int]) -> None:
        self.enrollments: defaultdict[int, list[Enrollment]] = defaultdict(list)
        self.attendance: defaultdict[int, list[Attendance]] = defaultdict(list)
        for enrollment in Enrollment.objects.filter(student_id__in=student_ids).order_by("id"):
            self.enrollments[enrollment.student_id].append(enrollment)
        attended = Attendance.objects.filter(enrollment__student_id__in=student_ids)
        for mark in attended.order_by("id"):
            self.attendance[mark.enrollment_id].append(mark)


def _changes(kept: StudentRow, others: list[StudentRow], history: _History) -> Iterator[Change]:
    by_lecture: defaultdict[int, list[Enrollment]] = defaultdict(list)
    for row in (kept, *others):
        for enrollment in history.enrollments[row.id]:
            by_lecture[enrollment.lecture_id].append(enrollment)
    for target, *rest in by_lecture.values():
        marks = [mark for each in (target, *rest) for mark in history.attendance[each.pk]]
        yield from _merged(marks, target.pk)
        if target.student_id != kept.id:
            yield Change("move", "enrollments", target.pk, kept.id)
        yield from (Change("delete", "enrollments", each.pk) for each in rest)
    yield from (Change("delete", "students", row.id) for row in others)


def _merged(marks: Iterable[Attendance], enrollment_id: int) -> Iterator[Change]:
    """Leave one mark a session at the enrolment: the first one that says more than PLANNED."""
    by_session: defaultdict[int, list[Attendance]] = defaultdict(list)
    for mark in marks:
        by_session[mark.session_id].append(mark)
    for candidates in by_session.values():
        told = [mark for mark in candidates if mark.state != _PLANNED]
        winner = (told or candidates)[0]
        yield from (
            Change("delete", "attendance", mark.pk) for mark in candidates if mark is not winner
        )
        if winner.enrollment_id != enrollment_id:
            yield Change("move", "attendance", winner.pk, enrollment_id)
