"""The line of a roster: what a browser sends, SQS, and the AI fleet's handlers in a real runner."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3
import psycopg
from django.core.files.uploadedfile import SimpleUploadedFile
from xlsxwriter import Workbook

from config.contracts.ai_jobs import AiJob, decode_ai_job
from tests.unit.api.servers import ENVIRONMENT, PORTS
from worker_images.ai.excel.export import ExportAttendance, ExportStaff
from worker_images.ai.excel.parse import ParseExcel
from worker_images.base.cancellation import Cancellation
from worker_images.base.database import Database
from worker_images.base.job_kinds import AI_JOBS
from worker_images.base.queue import Message
from worker_images.base.runner import job_runner
from worker_images.base.status import PostgresStatus
from worker_images.base.storage import BucketStorage, Storage
from worker_images.base.testing import ManualClock
from worker_images.base.testing_run import surroundings
from worker_images.base.work import Delivery, Disposition

ENROLL = "/api/v1/enrollments/lecture_enroll_from_excel/"
QUEUE = ENVIRONMENT["AI_SQS_QUEUE_NAME_BASIC"]
BUCKET = ENVIRONMENT["R2_EXCEL_BUCKET"]
PASSWORD = "first-lesson-2026"
TITLES = ("이름", "학생 전화", "학부모 전화", "학교", "학년")

Row = Sequence[object]


def xlsx(*rows: Row) -> bytes:
    """Return a workbook of one sheet."""
    buffer = io.BytesIO()
    with Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as workbook:
        sheet = workbook.add_worksheet("명단")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return buffer.getvalue()


def roster(*students: Row) -> bytes:
    """Return a workbook with titles and these rows."""
    return xlsx(TITLES, *students)


def hong(number: int = 0) -> Row:
    """Return a row that is right, another one for every number."""
    return (f"홍길동{number}", f"010-1234-{number:04d}", f"010-9876-{number:04d}", "한빛고", "2")


@dataclass
class Line:
    """One tenant's browser, and a worker that takes what waits in the basic queue."""

    api: Any
    s3: Any
    handlers: dict[str, Callable[..., Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        bucket = BucketStorage(self.s3, BUCKET, has_tags=True)
        self.use(bucket)
        self.database = Database(connected)
        self.status = PostgresStatus(self.database.cursor, AI_JOBS)

    def use(self, storage: Storage) -> None:
        """Let the worker use another bucket."""
        self.handlers = {
            "excel_parsing": ParseExcel(storage),
            "attendance_excel_export": ExportAttendance(storage),
            "staff_excel_export": ExportStaff(storage),
        }

    def upload(self, file: bytes, lecture_id: int, *, name: str = "명단.xlsx", **more: Any) -> Any:
        body = {
            "file": SimpleUploadedFile(name, file),
            "lecture_id": lecture_id,
            "initial_password": PASSWORD,
            **more,
        }
        return self.api.client.post(ENROLL, body, headers=self.api._headers({}))

    def shown(self, job_id: str) -> Any:
        return self.api.get(f"/api/v1/enrollments/excel_job_status/{job_id}/").json()

    def work(self) -> list[Disposition]:
        """Run every message that is visible, and delete those that are done with."""
        client = boto3.client("sqs")
        url = client.get_queue_url(QueueName=QUEUE)["QueueUrl"]
        found = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        dispositions = []
        for each in found:
            disposition = self.run(decode_ai_job(each["Body"]))
            dispositions.append(disposition)
            if disposition.delete:
                client.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
            else:
                client.change_message_visibility(
                    QueueUrl=url, ReceiptHandle=each["ReceiptHandle"], VisibilityTimeout=0
                )
        return dispositions

    def run(self, job: AiJob) -> Disposition:
        """Run one job as a worker does, over the real tables."""
        clock = ManualClock()
        runner = job_runner(AI_JOBS, self.status, self.handlers[job.job_type], surroundings(clock))
        message = Message("", "receipt", "message", 1, clock.now(), "ai_basic")
        return runner(Delivery(message, clock.monotonic(), job, Cancellation()))

    def finish(self, answer: Any) -> Any:
        """Let the worker do an accepted job and return what its status then shows."""
        assert answer.status_code == 202, answer.content.decode()
        self.work()
        return self.shown(answer.json()["job_id"])

    def keys(self) -> list[str]:
        """Return what lies in the excel bucket."""
        found = self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return [each["Key"] for each in found]

    def waiting(self) -> int:
        """Return how many messages are in the basic queue, running or not."""
        client = boto3.client("sqs")
        url = client.get_queue_url(QueueName=QUEUE)["QueueUrl"]
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)


def connected() -> Any:
    return psycopg.connect(
        host="127.0.0.1",
        port=PORTS["postgres"],
        user="academy",
        dbname="postgres",
        autocommit=True,
    )
