"""Rosters that are refused, callers who may not, and workers that die in the middle."""

from __future__ import annotations

import io
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest

from config.contracts.ai_jobs import AiJob as AiJobMessage
from config.contracts.ai_jobs import decode_ai_job
from config.contracts.excel_jobs import EnrolmentPayload
from config.contracts.spreadsheets import MAX_FILE_BYTES
from tests.unit.api.conftest import Api
from tests.unit.api.excel_line import (
    BUCKET,
    ENROLL,
    PASSWORD,
    Line,
    connected,
    hong,
    roster,
)
from tests.unit.api.servers import wait_until
from worker_images.ai.excel.enrol import enrol
from worker_images.api import rosters
from worker_images.api.models import (
    AiJob,
    Enrollment,
    Lecture,
    LectureSession,
    OutboxEntry,
    Student,
)
from worker_images.base.storage import BucketStorage

pytestmark = pytest.mark.server
WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1")


def archive(**entries: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries.items():
            file.writestr(name.replace("__", "/"), data)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (b"", "빈 파일"),
        ("이름,전화\n홍길동,01012345678".encode(), ".xlsx"),
        (b"<html><table></table></html>", ".xlsx"),
        (COMPOUND + bytes(4096), ".xls)"),
        (COMPOUND + bytes(512) + "EncryptedPackage".encode("utf-16-le"), "암호"),
        (archive(word__document=b"x"), ".xlsx"),
        (roster(hong())[:-200], "손상"),
        (roster(hong()) + bytes(MAX_FILE_BYTES), "20MB"),
    ],
    ids=["empty", "csv", "html", "xls", "password", "docx", "truncated", "large"],
)
def test_a_file_that_is_no_xlsx_is_refused_at_once(
    line: Line, lecture: Lecture, file: bytes, reason: str
) -> None:
    answer = line.upload(file, lecture.pk)
    assert answer.status_code in (400, 413)
    assert reason in str(answer.json())
    assert (AiJob.objects.count(), OutboxEntry.objects.count(), line.keys()) == (0, 0, [])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("initial_password", "123"),
        ("initial_password", ""),
        ("on_error", "ignore"),
        ("lecture_id", "x"),
        ("session_id", "0"),
    ],
)
def test_a_field_that_is_wrong_is_named(
    line: Line, lecture: Lecture, field: str, value: str
) -> None:
    fields = {"lecture_id": lecture.pk, field: value}
    answer = line.upload(roster(hong()), fields.pop("lecture_id"), **fields)
    assert answer.status_code == 400
    assert field in answer.json()


def test_a_session_may_be_left_blank_and_a_file_may_not(line: Line, lecture: Lecture) -> None:
    assert line.upload(roster(hong()), lecture.pk, session_id="").status_code == 202
    assert "session_id" not in AiJob.objects.get().payload
    body = {"lecture_id": lecture.pk, "initial_password": PASSWORD, "file": "명단"}
    answer = line.api.client.post(ENROLL, body, headers=line.api._headers({}))
    assert (answer.status_code, "file" in answer.json()) == (400, True)


def test_a_body_that_is_no_form_is_told_so(line: Line, lecture: Lecture) -> None:
    assert line.api.post(ENROLL, {"lecture_id": lecture.pk}).status_code == 415


def test_a_tenant_reaches_neither_lectures_nor_jobs_of_another(
    line: Line, lecture: Lecture
) -> None:
    session = LectureSession.objects.create(
        lecture=Lecture.objects.create(tenant_id=1, title="기하"), position=1
    )
    job_id = line.upload(roster(hong()), lecture.pk).json()["job_id"]
    assert line.upload(roster(hong()), lecture.pk, session_id=session.pk).status_code == 404
    line.api.tenant_id = 2
    assert line.upload(roster(hong()), lecture.pk).status_code == 404
    assert line.api.get(f"/api/v1/enrollments/excel_job_status/{job_id}/").status_code == 404
    assert Api(token="wrong").client.post(ENROLL).status_code == 401
    assert AiJob.objects.count() == 1


def test_two_tenants_with_one_file_are_two_jobs(line: Line, lecture: Lecture) -> None:
    foreign = Lecture.objects.create(tenant_id=2, title="미적분")
    line.upload(roster(hong()), lecture.pk)
    line.api.tenant_id = 2
    line.upload(roster(hong()), foreign.pk)
    line.work()
    assert sorted(Student.objects.values_list("tenant_id", flat=True)) == [1, 2]


class Failing(BucketStorage):
    """The bucket, whose next `delete` fails."""

    failing = True

    def delete(self, key: str) -> None:
        if self.failing:
            self.failing = False
            raise ConnectionError("storage is away")
        super().delete(key)


@pytest.mark.parametrize(
    ("student", "state", "enrolled"),
    [(hong(), "DONE", 1), (("홍길동", "1", "", "", ""), "REJECTED_BAD_INPUT", 0)],
)
def test_a_worker_that_dies_before_the_file_is_deleted_does_nothing_twice(
    line: Line, lecture: Lecture, student: Any, state: str, enrolled: int
) -> None:
    line.use(Failing(line.s3, BUCKET, has_tags=True))
    job_id = line.upload(roster(student), lecture.pk).json()["job_id"]
    line.work()
    assert (line.shown(job_id)["status"], len(line.keys())) == ("RETRYING", 1)
    before = list(Student.objects.values())
    line.work()
    shown = line.shown(job_id)
    assert (shown["status"], shown["result"]["enrolled_count"]) == (state, enrolled)
    assert shown["result"]["created_students_count"] == enrolled
    assert list(Student.objects.values()) == before
    assert line.keys() == []


def test_a_worker_that_lost_its_job_writes_nothing(line: Line, lecture: Lecture) -> None:
    job_id = line.upload(roster(hong()), lecture.pk).json()["job_id"]

    class Slow(BucketStorage):
        """While the file is read, the lease ends and another worker claims the job."""

        def get_file(self, key: str, path: Any) -> None:
            super().get_file(key, path)
            AiJob.objects.update(lease_expires_at=None)
            assert line.status.claim(job_id, "other", 60)

    line.use(Slow(line.s3, BUCKET, has_tags=True))
    (disposition,) = line.work()
    assert disposition.outcome == "LOST"
    assert (Student.objects.count(), Enrollment.objects.count()) == (0, 0)
    assert (len(line.keys()), line.shown(job_id)["status"]) == (1, "RUNNING")


def test_rosters_of_one_tenant_at_once_share_their_students(line: Line, lecture: Lecture) -> None:
    gone = Student.objects.create(
        tenant_id=1, name="홍길동0", phone="01012340000", parent_phone="01098760000"
    )
    Student.objects.update(deleted_at=gone.created_at)
    others = [Lecture.objects.create(tenant_id=1, title=f"{each}") for each in range(3)]
    rows = [hong(number) for number in range(200)]
    line.upload(roster(*rows), lecture.pk)
    for each, order in zip(others, (rows[::-1], rows[50:], rows), strict=True):
        line.upload(roster(*order), each.pk)
    jobs = [decode_ai_job(entry.body) for entry in OutboxEntry.objects.all()]
    threads = [threading.Thread(target=line.run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(AiJob.objects.values_list("state", flat=True)) == {"DONE"}
    assert (Student.objects.count(), Enrollment.objects.count()) == (200, 750)


def test_a_roster_waits_for_another_of_its_tenant_and_sees_what_that_did(
    line: Line, lecture: Lecture, tmp_path: Path
) -> None:
    name, phone, parent, *rest = (str(value).replace("-", "") for value in hong())
    gone = Student.objects.create(tenant_id=1, name=name, phone=phone, parent_phone=parent)
    Student.objects.update(deleted_at=gone.created_at)
    job_id = line.upload(roster(hong()), lecture.pk).json()["job_id"]
    copy = tmp_path / "roster.copy"
    copy.write_text("\t".join(["2", name, phone, parent, *rest]) + "\n")
    with connected() as other, connected() as look:
        with other.transaction(), other.cursor() as cursor:
            payload = EnrolmentPayload("", "", 1, lecture.pk, "")
            first = enrol(cursor, payload, copy, "hash")
            thread = threading.Thread(target=line.work)
            thread.start()
            wait_until(lambda: look.execute(WAITING).fetchone() is not None)
        thread.join()
    assert first.restored_students_count == 1
    result = line.shown(job_id)["result"]
    assert (result["restored_students_count"], result["already_enrolled_count"]) == (0, 1)


def test_a_body_of_the_old_application_is_hashed_by_the_worker(
    line: Line, lecture: Lecture, caplog: pytest.LogCaptureFixture
) -> None:
    from django.contrib.auth.hashers import check_password

    job = AiJob.objects.create(tenant_id=1, job_type="excel_parsing", tier="basic", payload={})
    key = "excel/1/0f0e0d0c.xlsx"
    line.s3.put_object(Bucket=BUCKET, Key=key, Body=roster(hong()))
    payload = {"file_key": key, "tenant_id": 1, "lecture_id": lecture.pk}
    body = {"bucket": BUCKET, "initial_password": PASSWORD, **payload}
    assert line.run(_message(job, body)).outcome == "SUCCEEDED"
    student = Student.objects.get()
    assert check_password(PASSWORD, student.password)
    assert PASSWORD not in caplog.text
    assert line.keys() == []


@pytest.mark.parametrize(
    "change",
    [
        {"file_key": "excel/2/0f.xlsx"},
        {"file_key": "exports/1/0f.xlsx"},
        {"tenant_id": 2},
        {"initial_password": 12345},
        {"lecture_id": None},
        {"on_error": "ignore"},
    ],
)
def test_a_payload_that_nobody_wrote_is_rejected_without_its_values(
    line: Line, lecture: Lecture, change: dict[str, Any]
) -> None:
    job = AiJob.objects.create(tenant_id=1, job_type="excel_parsing", tier="basic", payload={})
    body = {"file_key": "excel/1/0f.xlsx", "tenant_id": 1, "lecture_id": lecture.pk}
    line.run(_message(job, {**body, "initial_password": PASSWORD, **change}))
    job.refresh_from_db()
    assert job.state == "REJECTED_BAD_INPUT"
    assert "12345" not in job.error_message


def test_a_roster_without_an_open_job_is_deleted_at_the_second_look(
    line: Line, lecture: Lecture
) -> None:
    waiting = line.upload(roster(hong(1)), lecture.pk).json()["job_id"]
    gave_up = line.upload(roster(hong(2)), lecture.pk).json()["job_id"]
    AiJob.objects.filter(pk=gave_up).update(state="FAILED")
    for key in ("excel/1/00000000000000000000000000000000.xlsx", "excel/1/named-by-hand.xlsx"):
        line.s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    cleaner = rosters.Rosters(BucketStorage(line.s3, BUCKET, has_tags=True))
    assert cleaner.look() == 0
    assert cleaner.look() == 2
    kept = {f"excel/1/{AiJob.objects.get(pk=waiting).pk.hex}.xlsx", "excel/1/named-by-hand.xlsx"}
    assert set(line.keys()) == kept


def _message(job: AiJob, payload: dict[str, Any]) -> AiJobMessage:
    return AiJobMessage(
        job_id=str(job.pk),
        job_type=job.job_type,
        tier=job.tier,
        payload=payload,
        tenant_id=job.tenant_id,
        source_domain="",
        source_id="",
        created_at="",
    )


def test_a_roster_that_the_store_does_not_take_is_a_503_and_no_job(
    line: Line, lecture: Lecture
) -> None:
    line.s3.delete_bucket(Bucket=BUCKET)
    refused = line.upload(roster(hong()), lecture.pk)
    assert (refused.status_code, refused.json()["code"]) == (503, "STORAGE_UNAVAILABLE")
    assert not AiJob.objects.exists()
    region = {"LocationConstraint": "ap-northeast-2"}
    line.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=region)
    assert line.finish(line.upload(roster(hong()), lecture.pk))["status"] == "DONE"
