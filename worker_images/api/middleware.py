"""What happens around every request: the load balancer's check, request ids, CORS, observation."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers

from worker_images.api import errors, metrics
from worker_images.base.logging import bound, logger

_log = logger("api")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._=;-]{8,128}")
_ALLOWED_HEADERS = "Authorization, Content-Type, X-Tenant-Id, X-Request-Id"
_UNMATCHED = "(unmatched)"

Answer = Callable[[HttpRequest], HttpResponseBase]


def answer_healthz(get_response: Answer) -> Answer:
    """`/healthz` is 200 whatever the Host header says, and touches nothing."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path in ("/healthz", "/healthz/"):
            return HttpResponse("ok", content_type="text/plain")
        return get_response(request)

    return middleware


def observe(get_response: Answer) -> Answer:
    """Bind a request id to every log line, log the request once, and count it.

    A caller's X-Request-Id is kept when it looks like one. The route is logged, never the path:
    a watch page's path holds its token.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-Id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
        started = time.perf_counter()
        with bound(request_id=request_id):
            response = get_response(request)
            _record(request, response.status_code, time.perf_counter() - started)
        response["X-Request-Id"] = request_id
        return response

    def process_exception(request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, Http404):
            return None
        _log.error("request failed", exc_info=True, route=_route(request))
        lost = errors.note(request, error)
        return errors.unavailable(lost) if lost else None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


def allow_origins(get_response: Answer) -> Answer:
    """CORS for the origins of CORS_ORIGINS, `*` meaning every one.

    No cookies are used, so none are allowed, and an origin alone opens nothing.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        origin = request.headers.get("Origin", "")
        allowed = bool(origin) and not {origin, "*"}.isdisjoint(settings.API.cors_origins)
        preflight = "Access-Control-Request-Method" in request.headers
        if allowed and request.method == "OPTIONS" and preflight:
            response: HttpResponseBase = HttpResponse(status=204)
            response["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
            response["Access-Control-Allow-Headers"] = _ALLOWED_HEADERS
            response["Access-Control-Max-Age"] = "3600"
        else:
            response = get_response(request)
        if allowed:
            response["Access-Control-Allow-Origin"] = origin
            response["Access-Control-Expose-Headers"] = "X-Request-Id, Retry-After"
        patch_vary_headers(response, ["Origin"])
        return response

    return middleware


def _record(request: HttpRequest, status: int, seconds: float) -> None:
    route = _route(request)
    method = request.method or ""
    metrics.observe_request(method, route, status, seconds)
    _log.info(
        "request", method=method, route=route, status=status, duration_ms=round(seconds * 1000, 1)
    )


def _route(request: HttpRequest) -> str:
    match = request.resolver_match
    return f"/{match.route}" if match else _UNMATCHED
