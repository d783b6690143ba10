"""A roster from the browser to enrolled students, whatever the file, the queue and workers do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from django.contrib.auth.hashers import check_password
from django.utils import timezone

from tests.unit.api.excel_line import (
    PASSWORD,
    QUEUE,
    TITLES,
    Line,
    hong,
    roster,
    xlsx,
)
from worker_images.api.models import (
    AiJob,
    Attendance,
    Enrollment,
    Lecture,
    LectureSession,
    OutboxEntry,
    Student,
)

pytestmark = pytest.mark.server
GONE = timezone.now() - timezone.timedelta(days=3)


def test_a_roster_is_taken_with_one_job_one_message_and_one_object(
    line: Line, lecture: Lecture
) -> None:
    answer = line.upload(roster(hong()), lecture.pk)
    assert answer.status_code == 202
    job = AiJob.objects.get()
    assert answer.json() == {"job_id": str(job.pk), "status": "PENDING"}
    assert (job.job_type, job.tier, job.source_domain) == ("excel_parsing", "basic", "lecture")
    assert line.keys() == [f"excel/1/{job.pk.hex}.xlsx"] == [job.payload["file_key"]]
    assert line.waiting() == 1
    shown = line.shown(str(job.pk))
    assert shown == {
        "job_id": str(job.pk),
        "job_type": "excel_parsing",
        "status": "PENDING",
        "result": None,
        "error_message": "",
        "progress": {"percent": 0.0, "step": "", "seconds_left": None},
    }


def test_students_are_created_enrolled_and_planned_and_the_file_is_gone(
    line: Line, lecture: Lecture
) -> None:
    session = LectureSession.objects.create(lecture=lecture, position=1)
    shown = line.finish(line.upload(roster(hong(1), hong(2)), lecture.pk, session_id=session.pk))
    assert (shown["status"], shown["progress"]["percent"]) == ("DONE", 100)
    assert shown["result"] == {
        "students_count": 2,
        "created_students_count": 2,
        "restored_students_count": 0,
        "enrolled_count": 2,
        "already_enrolled_count": 0,
        "attendance_count": 2,
        "sheet": "명단",
        "error_rows_count": 0,
        "errors": [],
        "more_errors_count": 0,
    }
    student = Student.objects.get(name="홍길동1")
    assert (student.phone, student.parent_phone) == ("01012340001", "01098760001")
    assert (student.school, student.grade, student.tenant_id) == ("한빛고", "2", 1)
    assert student.must_change_password
    assert check_password(PASSWORD, student.password)
    assert {each.tenant_id for each in Enrollment.objects.filter(lecture=lecture)} == {1}
    assert Attendance.objects.filter(session=session, state="PLANNED").count() == 2
    assert line.keys() == []
    assert line.waiting() == 0


def test_the_password_lies_nowhere_in_clear_text(line: Line, lecture: Lecture) -> None:
    line.upload(roster(hong()), lecture.pk)
    job, entry = AiJob.objects.get(), OutboxEntry.objects.get()
    assert check_password(PASSWORD, job.payload["initial_password"])
    assert PASSWORD not in f"{vars(job)} {vars(entry)}"


@pytest.mark.parametrize("outage", ["refused connections", "queue deleted"])
def test_with_the_queue_down_it_is_503_and_the_same_call_sends_the_same_job(
    line: Line, lecture: Lecture, queue: Any, outage: str
) -> None:
    file, sqs = roster(hong()), boto3.client("sqs")
    if outage == "refused connections":
        queue.stop()
    else:
        sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"])
    refused = line.upload(file, lecture.pk)
    assert refused.status_code == 503
    assert "작업 큐 등록 실패(SQS)" in refused.json()["detail"]
    queue.start()
    sqs.create_queue(QueueName=QUEUE)
    answer = line.upload(file, lecture.pk)
    assert answer.status_code == 202
    assert answer.json()["job_id"] == str(AiJob.objects.get().pk)
    assert (len(line.keys()), line.waiting()) == (1, 1)
    assert line.finish(answer)["result"]["enrolled_count"] == 1


def test_simultaneous_calls_are_one_job_one_message_and_one_object(
    line: Line,
    lecture: Lecture,
    together: Callable[[int, Callable[[], Any]], list[Any]],
) -> None:
    file = roster(hong())
    answers = together(4, lambda: line.upload(file, lecture.pk))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["job_id"] for answer in answers}) == 1
    assert (AiJob.objects.count(), len(line.keys()), line.waiting()) == (1, 1, 1)


def test_the_same_file_once_more_creates_nothing_more(line: Line, lecture: Lecture) -> None:
    file = roster(hong(1), hong(2))
    first = line.finish(line.upload(file, lecture.pk))
    before = list(Student.objects.order_by("pk").values())
    second = line.finish(line.upload(file, lecture.pk))
    assert first["job_id"] != second["job_id"]
    assert (second["status"], second["result"]["already_enrolled_count"]) == ("DONE", 2)
    assert (second["result"]["created_students_count"], second["result"]["enrolled_count"]) == (
        0,
        0,
    )
    assert list(Student.objects.order_by("pk").values()) == before
    assert Enrollment.objects.count() == 2


def test_another_lecture_session_or_choice_is_another_call(line: Line, lecture: Lecture) -> None:
    file = roster(hong())
    other = Lecture.objects.create(tenant_id=1, title="기하")
    session = LectureSession.objects.create(lecture=lecture, position=1)
    line.upload(file, lecture.pk)
    line.upload(file, other.pk)
    line.upload(file, lecture.pk, session_id=session.pk)
    line.upload(file, lecture.pk, on_error="all_or_nothing")
    assert AiJob.objects.count() == 4


def test_bad_rows_are_told_by_row_and_column_and_the_good_ones_are_kept(
    line: Line, lecture: Lecture
) -> None:
    file = xlsx(
        ("2026 봄 명단",),
        TITLES,
        hong(1),
        ("김영희", "010-12", "010-9999-0000", "", ""),
        (),
        ("", "010-7777-0000", "", "", ""),
    )
    shown = line.finish(line.upload(file, lecture.pk))
    assert shown["status"] == "DONE"
    result = shown["result"]
    assert (result["enrolled_count"], result["error_rows_count"]) == (1, 2)
    places = [(each["row"], each["column"], each["title"]) for each in result["errors"]]
    assert places == [(4, "B", "학생 전화"), (6, "A", "이름")]
    assert result["errors"][0]["value"] == "010-12"
    assert "전화번호 형식" in result["errors"][0]["reason"]


def test_all_or_nothing_enrols_nobody_and_says_which_rows(line: Line, lecture: Lecture) -> None:
    file = roster(hong(1), ("김영희", "010-12", "", "", ""))
    shown = line.finish(line.upload(file, lecture.pk, on_error="all_or_nothing"))
    assert shown["status"] == "REJECTED_BAD_INPUT"
    assert "1개" in shown["error_message"]
    assert [each["row"] for each in shown["result"]["errors"]] == [3]
    assert (Student.objects.count(), Enrollment.objects.count(), line.keys()) == (0, 0, [])
    mended = line.finish(
        line.upload(roster(hong(1), hong(2)), lecture.pk, on_error="all_or_nothing")
    )
    assert mended["result"]["enrolled_count"] == 2


def test_known_students_stay_as_they_are_and_deleted_ones_come_back(
    line: Line, lecture: Lecture
) -> None:
    def student(number: int, **more: Any) -> Student:
        name, phone, parent = (str(value).replace("-", "") for value in hong(number)[:3])
        own = {"tenant_id": 1, "school": "옛 학교", "password": "old", **more}
        return Student.objects.create(name=name, phone=phone, parent_phone=parent, **own)

    known = student(1)
    older = student(2, deleted_at=GONE - timezone.timedelta(days=9))
    newer = student(2, deleted_at=GONE)
    foreign = student(3, tenant_id=2, deleted_at=GONE)
    shown = line.finish(line.upload(roster(hong(1), hong(2), hong(3)), lecture.pk))
    counts = {name: shown["result"][f"{name}_count"] for name in ("enrolled", "restored_students")}
    assert counts == {"enrolled": 3, "restored_students": 1}
    assert shown["result"]["created_students_count"] == 1
    for each in (known, older, newer, foreign):
        each.refresh_from_db()
    assert (known.school, known.password) == ("옛 학교", "old")
    assert (newer.deleted_at, newer.school) == (None, "한빛고")
    assert check_password(PASSWORD, newer.password)
    assert older.deleted_at is not None
    assert foreign.deleted_at is not None
    assert Enrollment.objects.filter(student__in=[known, newer]).count() == 2


def test_a_student_who_stands_twice_in_a_roster_is_one(line: Line, lecture: Lecture) -> None:
    again = ("홍길동1", 1012340001, "+82 10-9876-0001", "", "")
    shown = line.finish(line.upload(roster(hong(1), again), lecture.pk))
    assert shown["result"]["students_count"] == 1
    assert Student.objects.get().school == "한빛고"


def test_text_of_any_kind_arrives_as_it_was_written(line: Line, lecture: Lecture) -> None:
    names = ["O'Brien\\N", '따옴표"', "탭\t줄\n바꿈", "이모지 😀", "=1+1", "NULL"]
    rows = [(name, f"0101111{index:04d}", "", "\\", "") for index, name in enumerate(names)]
    line.finish(line.upload(roster(*rows), lecture.pk))
    expected = {"O'Brien\\N", '따옴표"', "탭 줄 바꿈", "이모지 😀", "=1+1", "NULL"}
    assert set(Student.objects.values_list("name", flat=True)) == expected
    assert set(Student.objects.values_list("school", flat=True)) == {"\\"}


def test_a_file_that_is_no_roster_is_rejected_with_the_reason(line: Line, lecture: Lecture) -> None:
    shown = line.finish(line.upload(xlsx(("품목", "가격"), ("사과", 1000)), lecture.pk))
    assert shown["status"] == "REJECTED_BAD_INPUT"
    assert "'이름'" in shown["error_message"]
    assert line.keys() == []


def test_a_lecture_that_is_gone_meanwhile_is_the_reason(line: Line, lecture: Lecture) -> None:
    answer = line.upload(roster(hong()), lecture.pk)
    lecture.delete()
    shown = line.finish(answer)
    assert (shown["status"], Student.objects.count()) == ("REJECTED_BAD_INPUT", 0)
    assert "강의" in shown["error_message"]
