"""Answers other than success: always JSON, always `detail` for people and `code` for programs.

A body that is not valid has its fields beside them, each with what is wrong with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from django.db import Error as DatabaseFailure
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, JsonResponse
from rest_framework import status
from rest_framework.exceptions import APIException, ErrorDetail
from rest_framework.response import Response
from rest_framework.views import exception_handler

from worker_images.base.logging import logger

_log = logger("api")
#: Seconds after which a caller who met an outage may try again.
RETRY_AFTER_S = 10
_INVALID = "입력값을 확인해 주세요."
#: SQLSTATEs of a server that stops, starts, or was demoted to a replica.
_SERVER_GONE = ("57P01", "57P02", "57P03", "25006")


class Conflict(APIException):
    """409: the state forbids it."""

    status_code = status.HTTP_409_CONFLICT

    def __init__(self, code: str, detail: str) -> None:
        super().__init__({"detail": detail, "code": code})


class QueueRefused(APIException):
    """503 with the documented text. The outbox row stays, so the same call works again."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "비디오 작업 큐 등록 실패(SQS)"
    default_code = "queue_unavailable"


@dataclass(frozen=True)
class Outage:
    """What is out of reach, for programs and for people."""

    code: str
    detail: str


DATABASE = Outage(
    "DATABASE_UNAVAILABLE", "데이터베이스에 연결할 수 없습니다. 잠시 후 다시 시도해 주세요."
)
#: The same to a caller who would write, where a replica answers those who read.
READ_ONLY = Outage("READ_ONLY", "지금은 조회만 할 수 있습니다. 잠시 후 다시 시도해 주세요.")
STORAGE = Outage(
    "STORAGE_UNAVAILABLE", "영상 저장소에 연결할 수 없습니다. 잠시 후 다시 시도해 주세요."
)


def outage(error: Exception) -> Outage | None:
    """Return what is out of reach when `error` says so: a 503, so that callers try again."""
    if isinstance(error, OperationalError) or database_lost(error):
        return DATABASE
    if isinstance(error, BotoCoreError | ClientError | Boto3Error):
        return STORAGE
    return None


def database_lost(error: Exception) -> bool:
    """Whether the server itself is gone, and not just one statement cancelled."""
    cause = error.__cause__
    if not isinstance(error, DatabaseFailure) or not isinstance(cause, psycopg.Error):
        return False
    if cause.sqlstate is None:
        return isinstance(error, OperationalError | InterfaceError)
    return cause.sqlstate in _SERVER_GONE or cause.sqlstate.startswith("08")


def note(request: HttpRequest, error: Exception) -> Outage | None:
    """Return the outage that `error` is, and mark the request when it is the database's."""
    request.database_lost = database_lost(error)  # type: ignore[attr-defined]
    return outage(error)


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler."""
    lost = note(context["request"]._request, error)
    if lost is not None:
        _log.error("dependency failed", error=str(error))
        body = {"detail": lost.detail, "code": lost.code}
        return Response(body, status=503, headers={"Retry-After": str(RETRY_AFTER_S)})
    response = exception_handler(error, context)
    if response is not None:
        response.data = _uniform(response.data)
        if response.status_code == status.HTTP_503_SERVICE_UNAVAILABLE:
            response["Retry-After"] = str(RETRY_AFTER_S)
    return response


def in_json(code: str, detail: str, status: int) -> JsonResponse:
    """Return `{detail, code}`, in letters that people read in a log as well."""
    return JsonResponse(
        {"detail": detail, "code": code}, status=status, json_dumps_params={"ensure_ascii": False}
    )


def unavailable(lost: Outage) -> JsonResponse:
    """Return an outage's 503."""
    response = in_json(lost.code, lost.detail, 503)
    response["Retry-After"] = str(RETRY_AFTER_S)
    return response


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    return in_json("BAD_REQUEST", "잘못된 요청입니다.", 400)


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    return in_json("NOT_FOUND", "찾을 수 없습니다.", 404)


def server_error(request: HttpRequest) -> JsonResponse:
    return in_json("SERVER_ERROR", "서버 오류가 발생했습니다.", 500)


def _uniform(data: Any) -> dict[str, Any]:
    """Return what DRF would answer with `detail` and `code` in it."""
    if not isinstance(data, dict):
        return {"detail": _INVALID, "code": "INVALID", "non_field_errors": data}
    detail = data.get("detail")
    if not isinstance(detail, str):
        return {"detail": _INVALID, "code": "INVALID", **data}
    code = detail.code if isinstance(detail, ErrorDetail) else "error"
    return {"detail": detail, "code": str(code).upper(), **data}
