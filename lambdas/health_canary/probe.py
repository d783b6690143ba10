"""One look at /health: what it answered, or which hop failed."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from config.contracts.edges import USER_AGENT
from config.contracts.health import DEPENDENCIES, OK, Answer
from config.contracts.http_hops import FailedHop, failed_hop

#: For connecting and for answering, each. /health itself answers within 4 s, whatever hangs.
TIMEOUT_S = 10.0
_MAX_ANSWER_BYTES = 64 * 1024


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer: the address that users are given must answer itself."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def look(url: str, now_s: Callable[[], float], *, timeout_s: float = TIMEOUT_S) -> Answer:
    """Return what `GET url` says; `now_s` is a monotonic clock in seconds."""
    began = now_s()
    status, body, failed = _ask(url, timeout_s)
    latency_ms = round((now_s() - began) * 1000, 1)
    fields = _fields(body)
    if failed is None and fields is None:
        failed = FailedHop("answer", "not the JSON of /health", status)
    return Answer(
        up=failed is None,
        url=url,
        latency_ms=latency_ms,
        status=status,
        hop=failed.hop if failed else None,
        reason=failed.reason if failed else None,
        failed=[name for name, value in (fields or {}).items() if value != OK],
    )


def _ask(url: str, timeout_s: float) -> tuple[int | None, bytes, FailedHop | None]:
    """Return status, body and failure. A 503 has a body as well: it names the dependency."""
    headers = {"Accept": "application/json", "User-Agent": USER_AGENT}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the scheme is checked with the settings
    try:
        with _OPENER.open(request, timeout=timeout_s) as response:
            return response.status, response.read(_MAX_ANSWER_BYTES), None
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(_MAX_ANSWER_BYTES), failed_hop(error)
    except (OSError, http.client.HTTPException) as error:
        return None, b"", failed_hop(error)


def _fields(body: bytes) -> dict[str, str] | None:
    """Return the dependencies' fields, None when the body is something else's."""
    try:
        found = json.loads(body)
    except ValueError:
        return None
    if not isinstance(found, dict) or not set(DEPENDENCIES) <= found.keys():
        return None
    return {name: str(found[name]) for name in DEPENDENCIES}
