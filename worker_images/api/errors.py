"""Answers other than success: always JSON; `detail` is for people, validation names the field."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.db import OperationalError
from django.http import HttpRequest, JsonResponse
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.views import exception_handler

from worker_images.base.logging import logger

_log = logger("api")


class Conflict(APIException):
    """409: the state forbids it. The answer is `{detail, code}`; `code` is for programs."""

    status_code = status.HTTP_409_CONFLICT

    def __init__(self, code: str, detail: str) -> None:
        super().__init__({"detail": detail, "code": code})


class QueueRefused(APIException):
    """503 with the documented text. The outbox row stays, so the same call works again."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "비디오 작업 큐 등록 실패(SQS)"


def outage(error: Exception) -> str | None:
    """Return what is out of reach when `error` says so: a 503, so that callers try again."""
    if isinstance(error, OperationalError):
        return "데이터베이스에 연결할 수 없습니다."
    if isinstance(error, BotoCoreError | ClientError):
        return "영상 저장소에 연결할 수 없습니다."
    return None


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler."""
    lost = outage(error)
    if lost is None:
        return exception_handler(error, context)
    _log.error("dependency failed", error=str(error))
    return Response({"detail": lost}, status=503)


def in_json(detail: str, status: int) -> JsonResponse:
    """Return `{"detail": ...}`, in letters that people read in a log as well."""
    return JsonResponse(
        {"detail": detail}, status=status, json_dumps_params={"ensure_ascii": False}
    )


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    return in_json("잘못된 요청입니다.", 400)


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    return in_json("찾을 수 없습니다.", 404)


def server_error(request: HttpRequest) -> JsonResponse:
    return in_json("서버 오류가 발생했습니다.", 500)
