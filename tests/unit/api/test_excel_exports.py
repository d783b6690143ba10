"""Exports: what a spreadsheet program reads back, whose link it is, and for how long."""

from __future__ import annotations

import io
import zipfile
from datetime import date, timedelta
from typing import Any

import pytest
import requests
from django.utils import timezone
from openpyxl import load_workbook

from tests.unit.api.excel_line import BUCKET, Line
from worker_images.api.models import (
    AiJob,
    Attendance,
    Enrollment,
    Lecture,
    LectureSession,
    StaffMember,
    Student,
)

pytestmark = pytest.mark.server
ATTENDANCE = "/api/v1/enrollments/attendance_excel_export/"
STAFF = "/api/v1/staffs/staff_excel_export/"


def enrolled(lecture: Lecture, name: str, **more: Any) -> Enrollment:
    student = Student.objects.create(
        tenant_id=lecture.tenant_id, name=name, phone="01012345678", grade="2", **more
    )
    return Enrollment.objects.create(tenant_id=lecture.tenant_id, lecture=lecture, student=student)


def read(data: bytes) -> list[tuple[Any, ...]]:
    sheet = load_workbook(io.BytesIO(data)).worksheets[0]
    return list(sheet.iter_rows(values_only=True))


def downloaded(line: Line, answer: Any) -> bytes:
    shown = line.finish(answer)
    assert shown["status"] == "DONE"
    found = requests.get(shown["result"]["download_url"], timeout=10)
    assert found.status_code == 200
    return found.content


def test_attendance_has_a_row_a_student_and_a_column_a_session(
    line: Line, lecture: Lecture
) -> None:
    second = LectureSession.objects.create(lecture=lecture, position=2)
    first = LectureSession.objects.create(
        lecture=lecture, position=1, title="수열", held_on=date(2026, 3, 2)
    )
    kim, hong = enrolled(lecture, "김영희"), enrolled(lecture, "홍길동", school="한빛고")
    enrolled(lecture, "떠난이", deleted_at=timezone.now())
    enrolled(Lecture.objects.create(tenant_id=1, title="기하"), "다른이")
    Attendance.objects.create(session=first, enrollment=hong, state="PRESENT")
    Attendance.objects.create(session=second, enrollment=hong, state="LATE")
    Attendance.objects.create(session=first, enrollment=kim, state="ABSENT")
    rows = read(downloaded(line, line.api.post(ATTENDANCE, {"lecture_id": lecture.pk})))
    fixed = ("이름", "학교", "학년", "학생 전화", "학부모 전화")
    assert rows == [
        (*fixed, "1회차 수열 2026-03-02", "2회차", "출석", "지각", "결석"),
        ("김영희", None, "2", "01012345678", None, "결석", None, 0, 0, 1),
        ("홍길동", "한빛고", "2", "01012345678", None, "출석", "지각", 1, 1, 0),
    ]


def test_staff_of_the_tenant_alone_are_listed(line: Line) -> None:
    StaffMember.objects.create(
        tenant_id=1, name="이교사", role="강사", phone="0212345678", joined_on=date(2025, 3, 1)
    )
    StaffMember.objects.create(tenant_id=2, name="남의교사")
    rows = read(downloaded(line, line.api.post(STAFF)))
    assert rows[1:] == [("이교사", "강사", "0212345678", "2025-03-01", None)]


@pytest.mark.parametrize(
    "name", ["=1+1", "+cmd|' /C calc'!A0", "-2", "@SUM(A1)", "\t=1+1", " =1+1", "'=1"]
)
def test_a_name_is_text_however_it_begins(line: Line, name: str) -> None:
    StaffMember.objects.create(tenant_id=1, name=name)
    data = downloaded(line, line.api.post(STAFF))
    cell = load_workbook(io.BytesIO(data)).worksheets[0]["A2"]
    assert (cell.value, cell.data_type) == (name, "s")
    assert cell.quotePrefix == (name.lstrip()[0] in "=+-@")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


def test_the_link_is_made_anew_and_ends_with_the_file(line: Line, lecture: Lecture) -> None:
    shown = line.finish(line.api.post(ATTENDANCE, {"lecture_id": lecture.pk}))
    job = AiJob.objects.get()
    key = f"exports/1/{job.pk.hex}/attendance-{lecture.pk}.xlsx"
    assert (shown["result"]["file_key"], shown["result"]["rows"]) == (key, 0)
    assert line.keys() == [key]
    assert "download_url" not in job.result
    AiJob.objects.update(finished_at=timezone.now() - timedelta(days=1))
    assert line.shown(str(job.pk))["result"]["download_url"] is None


def test_an_export_that_is_asked_for_twice_is_one_job_until_it_is_done(
    line: Line, lecture: Lecture
) -> None:
    first = line.api.post(ATTENDANCE, {"lecture_id": lecture.pk})
    assert line.api.post(ATTENDANCE, {"lecture_id": lecture.pk}).json() == first.json()
    line.work()
    assert line.api.post(ATTENDANCE, {"lecture_id": lecture.pk}).json() != first.json()


def test_exports_with_the_queue_down_are_503_and_then_the_same_job(line: Line, queue: Any) -> None:
    queue.stop()
    assert line.api.post(STAFF).status_code == 503
    queue.start()
    answer = line.api.post(STAFF)
    assert answer.json()["job_id"] == str(AiJob.objects.get().pk)
    assert line.finish(answer)["status"] == "DONE"


def test_a_lecture_of_another_tenant_is_not_exported(line: Line, lecture: Lecture) -> None:
    line.api.tenant_id = 2
    assert line.api.post(ATTENDANCE, {"lecture_id": lecture.pk}).status_code == 404
    assert AiJob.objects.count() == 0


def test_a_lecture_that_is_gone_meanwhile_leaves_no_file(line: Line, lecture: Lecture) -> None:
    answer = line.api.post(ATTENDANCE, {"lecture_id": lecture.pk})
    lecture.delete()
    shown = line.finish(answer)
    assert (shown["status"], line.keys()) == ("REJECTED_BAD_INPUT", [])
    assert shown["result"] is None


def test_many_rows_are_streamed(line: Line, lecture: Lecture) -> None:
    students = Student.objects.bulk_create(
        Student(tenant_id=1, name=f"학생{number:05d}", phone="01012345678")
        for number in range(2500)
    )
    Enrollment.objects.bulk_create(
        Enrollment(tenant_id=1, lecture=lecture, student=student) for student in students
    )
    rows = read(downloaded(line, line.api.post(ATTENDANCE, {"lecture_id": lecture.pk})))
    assert [row[0] for row in rows[1:]] == [f"학생{number:05d}" for number in range(2500)]
    assert line.s3.head_object(Bucket=BUCKET, Key=line.keys()[0])["CacheControl"] == "no-cache"
