"""Students, staff, lectures, and who attends what."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class Student(models.Model):
    """A student of a tenant, known by name and phone; `deleted_at` is set by a soft deletion.

    Phones hold digits alone. `phone` is the student's own or empty, `parent_phone` a parent's or
    empty, never both empty. `password` is Django's hash.
    """

    tenant_id = models.BigIntegerField()
    name = models.TextField()
    phone = models.TextField(db_default="")
    parent_phone = models.TextField(db_default="")
    school = models.TextField(db_default="")
    grade = models.TextField(db_default="")
    password = models.TextField(db_default="")
    must_change_password = models.BooleanField(db_default=True)
    deleted_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "students"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant_id", "name", "phone", "parent_phone"],
                condition=models.Q(deleted_at__isnull=True),
                name="student_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["deleted_at"],
                condition=models.Q(deleted_at__isnull=False),
                name="student_deleted",
            ),
        ]


class StaffMember(models.Model):
    """Somebody who works for a tenant."""

    tenant_id = models.BigIntegerField()
    name = models.TextField()
    phone = models.TextField(db_default="")
    role = models.TextField(db_default="")
    joined_on = models.DateField(null=True)
    left_on = models.DateField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "staff_members"
        indexes: ClassVar = [models.Index(fields=["tenant_id", "name"], name="staff_tenant")]


class Lecture(models.Model):
    """A course of a tenant."""

    tenant_id = models.BigIntegerField()
    title = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "lectures"
        indexes: ClassVar = [models.Index(fields=["tenant_id"], name="lecture_tenant")]


class LectureSession(models.Model):
    """One meeting of a lecture; `position` counts from 1."""

    lecture = models.ForeignKey(Lecture, on_delete=models.CASCADE, related_name="sessions")
    position = models.IntegerField()
    title = models.TextField(db_default="")
    held_on = models.DateField(null=True)

    class Meta:
        db_table = "lecture_sessions"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["lecture", "position"], name="session_position_once"),
        ]


class Enrollment(models.Model):
    """A student in a lecture."""

    tenant_id = models.BigIntegerField()
    lecture = models.ForeignKey(Lecture, on_delete=models.CASCADE, related_name="enrollments")
    student = models.ForeignKey(Student, on_delete=models.CASCADE, related_name="enrollments")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "enrollments"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["lecture", "student"], name="enrollment_once"),
        ]


class Attendance(models.Model):
    """How an enrolled student attended a session: PRESENT, LATE, ABSENT, or PLANNED before it."""

    session = models.ForeignKey(LectureSession, on_delete=models.CASCADE, related_name="attendance")
    enrollment = models.ForeignKey(Enrollment, on_delete=models.CASCADE, related_name="attendance")
    state = models.TextField(db_default="PLANNED")
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "attendance"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session", "enrollment"], name="attendance_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=["PLANNED", "PRESENT", "LATE", "ABSENT"]),
                name="attendance_state_known",
            ),
        ]
