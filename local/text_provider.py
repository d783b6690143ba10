"""Plays Aligo, so that a text goes its whole way on a machine that sends none.

Below `/_local/provider/` its three calls, as the messaging worker makes them; what was taken is
read at `GET /_local/texts`. `POST /_local/faults {"service": "texts", "down": true}` takes it away.
https://smartsms.aligo.in/admin/api/spec.html, https://smartsms.aligo.in/alimapi.html
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from local.faults import Faults
from local.hosts.container import PROVIDER_PATH

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PREFIX = f"{PROVIDER_PATH}/"
TAKEN = "/_local/texts"
FAULT = "texts"
#: Texts that are remembered, the newest.
KEPT = 1000


class TextProvider:
    """Takes every text that comes with a key, and remembers it. Thread-safe."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._taken: deque[dict[str, str]] = deque(maxlen=KEPT)
        self._number = 0
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        return self._answer(Request(environ))(environ, start)

    def _answer(self, request: Request) -> Response:
        if request.path == TAKEN and request.method == "GET":
            with self._lock:
                return _json(list(self._taken))
        if self._faults.is_down(FAULT):
            return Response("down", 503)
        call = request.path.removeprefix(PREFIX).rstrip("/")
        form = request.form.to_dict()
        match call:
            case "send":
                number = self._take(form, key="key")
                return _json(_sms(number) if number else {"result_code": -101, **_REFUSED})
            case "akv10/alimtalk/send":
                number = self._take(form, key="apikey")
                return _json(_alimtalk(number) if number else {"code": -101, **_REFUSED})
            case "remain":
                return _json({"result_code": 1, "message": "success", "SMS_CNT": KEPT})
        return Response(f"Nothing is at {request.path}", 404)

    def _take(self, form: Mapping[str, str], *, key: str) -> int:
        """Return the text's number; 0 for one that came without the account's key."""
        if not form.get(key):
            return 0
        with self._lock:
            self._number += 1
            self._taken.append({name: value for name, value in form.items() if name != key})
            return self._number


_REFUSED = {"message": "인증오류입니다."}


def _sms(number: int) -> dict[str, Any]:
    counts = {"success_cnt": 1, "error_cnt": 0}
    return {"result_code": 1, "message": "success", "msg_id": str(number), **counts}


def _alimtalk(number: int) -> dict[str, Any]:
    info = {"type": "AT", "mid": number, "scnt": 1, "fcnt": 0}
    return {"code": 0, "message": "성공적으로 전송요청 하였습니다.", "info": info}


def _json(body: object) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), content_type="application/json")
