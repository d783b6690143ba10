"""The handler of excel_parsing: an uploaded roster becomes enrolled students."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from config.contracts.ai_jobs import AiJob
from config.contracts.excel_jobs import EnrolmentPayload, OnError, decode_enrolment
from config.contracts.fields import Undecodable
from config.contracts.storage_keys import excel_upload_prefix
from worker_images.ai.excel import enrol_sql as sql
from worker_images.ai.excel.enrol import enrol
from worker_images.ai.excel.password import hashed
from worker_images.ai.excel.reading import Reading
from worker_images.ai.excel.roster import read_roster
from worker_images.base.errors import BadInput
from worker_images.base.logging import logger
from worker_images.base.storage import ObjectNotFoundError, Storage
from worker_images.base.work import Context, Result

_log = logger("excel")
_NOTHING = {"enrolled_count": 0, "created_students_count": 0}
_FILE_GONE = ("FILE_GONE", "업로드한 파일을 찾을 수 없습니다. 파일을 다시 올려 주세요.")
_NO_GOOD_ROW = (
    "NO_GOOD_ROW",
    "등록할 수 있는 행이 없습니다. 오류를 고쳐 파일을 다시 올려 주세요.",
)
_ROWS_IN_ERROR = (
    "오류가 있는 행이 {count:,}개 있어 아무도 등록하지 않았습니다. 고쳐서 다시 올려 주세요."
)


@dataclass(frozen=True)
class ParseExcel:
    """Enrols a roster's students and deletes its file, which an attempt after a crash knows.

    The outcome is written to the job in the transaction of its effects: an attempt that finds one
    has nothing left but to delete the file. `storage` is the excel bucket.
    """

    storage: Storage

    def __call__(self, job: AiJob, context: Context) -> Result:
        """Raises: BadInput with the reason, and the rows in error in the job's result."""
        payload = _payload(job)
        outcome = self._earlier(job, context)
        if outcome is None:
            outcome = self._settle(job, payload, context)
        self.storage.delete(payload.file_key)
        _log.info("roster settled", enrolled=outcome["enrolled_count"])
        if "rejected" in outcome:
            raise BadInput(**outcome["rejected"])
        return Result(outcome)

    def _earlier(self, job: AiJob, context: Context) -> dict[str, Any] | None:
        with context.transaction() as cursor:
            cursor.execute(sql.RECORDED_OUTCOME, {"job_id": job.job_id})
            outcome: dict[str, Any] | None = cursor.fetchone()[0]
        return outcome

    def _settle(self, job: AiJob, payload: EnrolmentPayload, context: Context) -> dict[str, Any]:
        """Return the outcome, which stands in the job's row together with its effects."""
        reading = Reading()
        try:
            with tempfile.TemporaryDirectory(prefix="academy-excel-") as name:
                source, roster = Path(name, "roster.xlsx"), Path(name, "roster.copy")
                context.report(0.0, "download", None)
                self._download(payload.file_key, source)
                context.report(10.0, "parse", None)
                reading = read_roster(source, roster, context.cancellation)
                _refuse_errors(reading, payload.on_error)
                password = hashed(payload.initial_password)
                context.report(60.0, "enrol", None)
                with context.transaction() as cursor:
                    enrolled = enrol(cursor, payload, roster, password)
                    return _record(cursor, job, {**asdict(enrolled), **_told(reading)})
        except BadInput as error:
            rejected = {"rejected": {"code": error.code, "message": error.message}}
            with context.transaction() as cursor:
                return _record(cursor, job, {**_NOTHING, **_told(reading), **rejected})

    def _download(self, key: str, path: Path) -> None:
        try:
            self.storage.get_file(key, path)
        except ObjectNotFoundError as error:
            raise BadInput(*_FILE_GONE) from error


def _payload(job: AiJob) -> EnrolmentPayload:
    """Return the job's payload. Raises: BadInput, also for a file of another tenant."""
    try:
        payload = decode_enrolment(job.payload)
    except Undecodable as error:
        raise BadInput("PAYLOAD", f"작업 내용이 올바르지 않습니다: {error}") from error
    prefix = excel_upload_prefix(job.tenant_id)
    if payload.tenant_id != job.tenant_id or not payload.file_key.startswith(prefix):
        raise BadInput("FOREIGN_FILE", "다른 학원의 파일은 처리할 수 없습니다.")
    return payload


def _refuse_errors(reading: Reading, on_error: OnError) -> None:
    if reading.error_rows and on_error is OnError.ALL_OR_NOTHING:
        message = _ROWS_IN_ERROR.format(count=reading.error_rows)
        raise BadInput("ROWS_IN_ERROR", message)
    if not reading.rows:
        raise BadInput(*_NO_GOOD_ROW)


def _told(reading: Reading) -> dict[str, Any]:
    return {
        "sheet": reading.sheet,
        "error_rows_count": reading.error_rows,
        "errors": reading.errors,
        "more_errors_count": reading.more_errors,
    }


def _record(cursor: Any, job: AiJob, outcome: dict[str, Any]) -> dict[str, Any]:
    cursor.execute(sql.RECORD_OUTCOME, {"job_id": job.job_id, "outcome": json.dumps(outcome)})
    return outcome
