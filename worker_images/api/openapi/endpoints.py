"""What each view takes and answers, errors too. `describe_all` puts it on the views."""

from __future__ import annotations

import inspect
from functools import partial
from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view

from worker_images.api.openapi import bodies
from worker_images.api.views import enrollments, internal, schema, texts, videos

_REASONS = {
    400: "입력값이 올바르지 않음",
    401: "토큰이나 X-Tenant-Id 가 없거나 틀림",
    403: "내부 키가 없거나 틀림",
    404: "없거나 다른 학원의 것",
    409: "지금 상태에서는 할 수 없음: `code` 가 이유를 말함",
    413: "파일이 너무 큼",
    415: "Content-Type 이 다름",
    429: "주소당 분당 요청 한도 초과: `Retry-After` 초 뒤에 다시",
    503: "데이터베이스, 저장소 또는 큐에 닿지 않음: 같은 요청을 다시 보내면 됨",
}
_READ, _WRITE = (401, 429, 503), (400, 401, 415, 429, 503)


def describe_all() -> None:
    """Describe every view of Django REST framework."""
    _describe_videos()
    _describe_spreadsheets()
    _describe_texts()
    _describe_internal()
    _on(schema.Schema, "get", "documents", answer=(200, dict), errors=_READ)


def _describe_videos() -> None:
    init, complete, retry = videos.UploadInit, videos.UploadComplete, videos.Retry
    on = partial(_on, tag="videos")
    on(init, "post", body=videos.UploadRequest, answer=(201, bodies.UploadInitBody), errors=_WRITE)
    known = (*_READ, 404)
    on(complete, "post", answer=(200, bodies.UploadCompleteBody), errors=(*known, 409))
    on(retry, "post", answer=(202, bodies.RetryBody), errors=(*known, 409))
    on(videos.Progress, "get", answer=(200, bodies.ProgressBody), errors=known)


def _describe_spreadsheets() -> None:
    on = partial(_on, tag="spreadsheets", answer=(202, bodies.AcceptedBody))
    enrol, attendance = enrollments.EnrollFromExcel, enrollments.AttendanceExport
    on(enrol, "post", body=enrollments.RosterRequest, errors=(*_WRITE, 404, 413))
    on(attendance, "post", body=enrollments.LectureRequest, errors=(*_WRITE, 404))
    on(enrollments.StaffExport, "post", errors=_READ)
    on(enrollments.ExcelJobStatus, "get", answer=(200, bodies.JobBody), errors=(*_READ, 404))


def _describe_texts() -> None:
    on = partial(_on, tag="texts")
    sent = (202, bodies.TextsBody)
    on(texts.Messages, "post", body=texts.TextsRequest, answer=sent, errors=(*_WRITE, 409))
    on(texts.Message, "get", answer=(200, bodies.TextBody), errors=(*_READ, 404))
    cancelled = (200, bodies.CancelledBody)
    on(texts.CancelReservation, "post", answer=cancelled, errors=(*_READ, 404))


def _describe_internal() -> None:
    on = partial(_on, tag="internal")
    on(internal.BacklogCount, "get", answer=(200, bodies.BacklogBody), errors=(403, 503))
    fleets = (200, bodies.FleetsBody)
    on(internal.Fleets, "get", query=internal.FleetsQuery, answer=fleets, errors=(400, 403, 503))
    write = (400, 403, 415, 503)
    scanned, marked = (200, bodies.ScanBody), (200, bodies.MarkedBody)
    on(internal.ScanStuck, "post", body=internal.StuckRequest, answer=scanned, errors=write)
    write = (*write, 404, 409)
    on(internal.MarkDead, "post", body=internal.DeadRequest, answer=marked, errors=write)


def _on(
    view: Any,
    method: str,
    tag: str,
    *,
    answer: tuple[int, Any],
    errors: tuple[int, ...],
    body: Any = None,
    query: Any = None,
) -> None:
    """Describe one method of a view; its docstring's first line is the summary."""
    status, answered = answer
    responses: dict[int, Any] = {status: OpenApiResponse(answered, HTTPStatus(status).phrase)}
    for error in errors:
        told = bodies.InvalidBody if error == HTTPStatus.BAD_REQUEST else bodies.ErrorBody
        responses[error] = OpenApiResponse(told, _REASONS[error])
    first, _, rest = inspect.cleandoc(view.__doc__).partition("\n")
    described = extend_schema(
        operation_id=f"{tag}_{view.__name__}",
        tags=[tag],
        summary=first.partition(": ")[2].rstrip("."),
        description=rest.strip(),
        parameters=[query] if query else None,
        request=body,
        responses=responses,
    )
    extend_schema_view(**{method: described})(view)
