"""Payloads of Excel jobs. Readers ignore unknown fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from config.contracts.fields import Undecodable, integer, optional_text, text


class OnError(StrEnum):
    """What becomes of the good rows of a roster that has rows in error."""

    KEEP_GOOD_ROWS = "keep_good_rows"
    ALL_OR_NOTHING = "all_or_nothing"


@dataclass(frozen=True)
class EnrolmentPayload:
    """Enrol the students of a roster in a lecture, and plan them for a session if one is named.

    `initial_password` carries Django's hash (`pbkdf2_sha256$...`), never the password: a body
    written by the application before carries the password, and the worker hashes it.
    """

    file_key: str
    bucket: str
    tenant_id: int
    lecture_id: int
    initial_password: str
    session_id: int | None = None
    on_error: OnError = OnError.KEEP_GOOD_ROWS


@dataclass(frozen=True)
class AttendanceExportPayload:
    """Write who attended a lecture."""

    tenant_id: int
    lecture_id: int


@dataclass(frozen=True)
class StaffExportPayload:
    """Write a tenant's staff."""

    tenant_id: int


def encode_payload(
    payload: EnrolmentPayload | AttendanceExportPayload | StaffExportPayload,
) -> dict[str, Any]:
    """Return the payload as a message carries it; what is None is left out."""
    return {name: value for name, value in asdict(payload).items() if value is not None}


def decode_enrolment(fields: Mapping[str, Any]) -> EnrolmentPayload:
    """Return an excel_parsing job's payload. Raises: Undecodable."""
    return EnrolmentPayload(
        file_key=text(fields, "file_key"),
        bucket=optional_text(fields, "bucket"),
        tenant_id=integer(fields, "tenant_id"),
        lecture_id=integer(fields, "lecture_id"),
        initial_password=_password(fields),
        session_id=integer(fields, "session_id") if fields.get("session_id") is not None else None,
        on_error=_on_error(optional_text(fields, "on_error")),
    )


def decode_attendance_export(fields: Mapping[str, Any]) -> AttendanceExportPayload:
    """Return an attendance_excel_export job's payload. Raises: Undecodable."""
    return AttendanceExportPayload(integer(fields, "tenant_id"), integer(fields, "lecture_id"))


def decode_staff_export(fields: Mapping[str, Any]) -> StaffExportPayload:
    """Return a staff_excel_export job's payload. Raises: Undecodable."""
    return StaffExportPayload(integer(fields, "tenant_id"))


def _password(fields: Mapping[str, Any]) -> str:
    """Its refusal, unlike any other field's, never says the value."""
    value = fields.get("initial_password")
    if not isinstance(value, str) or not value:
        raise Undecodable("initial_password must be a non-empty string")
    return value


def _on_error(value: str) -> OnError:
    try:
        return OnError(value or OnError.KEEP_GOOD_ROWS)
    except ValueError:
        allowed = ", ".join(OnError)
        raise Undecodable(f"on_error {value!r} is unknown; allowed: {allowed}") from None
