"""Students who were deleted long enough ago to be forgotten."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

from django.db.models.functions import Now

from worker_images.api.models import Attendance, Enrollment, Student
from worker_images.api.student_changes import Change, Section, student_rows

KEPT = timedelta(days=30)


def find_forgotten() -> list[Section]:
    """Return the students deleted at least 30 days ago, each with all that goes with it."""
    due = Student.objects.filter(deleted_at__lte=Now() - KEPT)
    rows = student_rows(due.order_by("tenant_id", "id"))
    ids = [row.id for row in rows]
    changes: defaultdict[int, list[Change]] = defaultdict(list)
    attendance = Attendance.objects.filter(enrollment__student_id__in=ids).order_by("pk")
    for student_id, pk in attendance.values_list("enrollment__student_id", "pk"):
        changes[student_id].append(Change("delete", "attendance", pk))
    enrollments = Enrollment.objects.filter(student_id__in=ids).order_by("pk")
    for student_id, pk in enrollments.values_list("student_id", "pk"):
        changes[student_id].append(Change("delete", "enrollments", pk))
    for row in rows:
        changes[row.id].append(Change("delete", "students", row.id))
    return [Section((row,), tuple(changes[row.id])) for row in rows]
