"""A loopback server that speaks Solapi's and Aligo's protocols, and fails in every way they can.

It counts what it took: a text is "out" once its request was accepted, whatever was answered.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

API_KEY, API_SECRET, USER_ID = "unit-api-key", "unit-api-secret", "unit-user"
KAKAO_KEY = "unit-kakao-sender-key"


class Fault(Enum):
    """What the next requests meet."""

    NONE = "none"
    STATUS_500 = "500, the text went out"
    STATUS_502 = "502, the text did not go out"
    STATUS_503 = "503"
    STATUS_429 = "429"
    STATUS_403 = "403 of a gateway"
    RESET_BEFORE = "reset before the text was accepted"
    RESET_AFTER = "reset after the text was accepted"
    SILENT_AFTER = "no answer, the text went out"
    HALF_AN_ANSWER = "the connection ends within the answer"
    NO_JSON = "200 with a page"
    OTHER_JSON = "200 with JSON of another shape"
    NO_MONEY = "the account's money is used up"
    WRONG_KEY = "the key is refused"
    BAD_SENDER = "the sender's number is not registered"
    BAD_TEMPLATE = "the Alimtalk's template is not known"


@dataclass
class ProviderServer:
    """`out` lists the texts that went out: the form or the message of each request.

    A text that was accepted is answered `answers_after_s` seconds later.
    """

    fault: Fault = Fault.NONE
    out: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 0
    connections: int = 0
    answers_after_s: float = 0.0
    release: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def provider_server() -> Iterator[ProviderServer]:
    """Serve at a free port of loopback until the block ends."""
    state = ProviderServer()

    class Handler(_Handler):
        server_state = state

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        state.release.set()
        server.shutdown()
        thread.join()
        server.server_close()


def closed_port() -> int:
    """Return a port of loopback at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Handler(BaseHTTPRequestHandler):
    server_state: ProviderServer
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.server_state.connections += 1

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.server_state.asked += 1
        if self.path == "/cash/v1/balance":
            self._respond(lambda: None, {"balance": 1000.0, "point": 0.0})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/messages/v4/send-many/detail":
            self._solapi(json.loads(body)["messages"][0])
        elif self.path == "/remain/":
            self.server_state.asked += 1
            self._respond(lambda: None, {"result_code": 1, "message": "success", "SMS_CNT": 9})
        else:
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._aligo(form, kakao=self.path == "/akv10/alimtalk/send/")

    def _solapi(self, message: dict[str, Any]) -> None:
        fault = self.server_state.fault
        if f"ApiKey={API_KEY}" not in self.headers["Authorization"]:
            fault = Fault.WRONG_KEY
        if fault is Fault.WRONG_KEY:
            self._answer(403, {"errorCode": "InvalidAPIKey", "errorMessage": "유효하지 않은 키"})
        elif fault is Fault.NO_MONEY:
            self._answer(400, {"errorCode": "NotEnoughBalance", "errorMessage": "잔액 부족"})
        elif fault is Fault.STATUS_429:
            self._answer(429, {"errorCode": "TooManyRequests", "errorMessage": "잠시 후"})
        elif fault is Fault.BAD_SENDER:
            self._answer(200, _solapi_failed(message, "1062", "발신번호 미등록"))
        elif fault is Fault.BAD_TEMPLATE and message["type"] == "ATA":
            self._answer(200, _solapi_failed(message, "3016", "템플릿을 찾을 수 없습니다"))
        else:
            self._respond(lambda: self.server_state.out.append(message), _solapi_taken(message))

    def _aligo(self, form: dict[str, str], *, kakao: bool) -> None:
        fault, code = self.server_state.fault, "code" if kakao else "result_code"
        if form["apikey" if kakao else "key"] != API_KEY:
            fault = Fault.WRONG_KEY
        if fault is Fault.WRONG_KEY:
            self._answer(200, {code: -101, "message": "인증오류입니다."})
        elif fault is Fault.NO_MONEY:
            self._answer(200, {code: "-99" if kakao else "-201", "message": "충전금이 부족합니다."})
        elif fault is Fault.BAD_SENDER:
            self._answer(200, {code: -103, "message": "등록/인증되지 않은 발신번호입니다."})
        elif fault is Fault.BAD_TEMPLATE and kakao:
            self._answer(200, {code: 508, "message": "템플릿 코드를 찾을 수 없습니다."})
        elif kakao:
            taken = {"code": 0, "message": "성공", "info": {"type": "AT", "mid": 77, "scnt": 1}}
            self._respond(lambda: self.server_state.out.append(form), taken)
        else:
            taken = {"result_code": "1", "message": "success", "msg_id": "83819703"}
            taken |= {"success_cnt": 1, "error_cnt": 0, "msg_type": form["msg_type"]}
            self._respond(lambda: self.server_state.out.append(form), taken)

    def _respond(self, accept: Any, answer: dict[str, Any]) -> None:
        """Accept the request and answer it, as far as the fault lets both happen."""
        fault = self.server_state.fault
        turned_away = {
            Fault.STATUS_502: 502,
            Fault.STATUS_503: 503,
            Fault.STATUS_429: 429,
            Fault.STATUS_403: 403,
        }
        if fault in turned_away:
            self._page(turned_away[fault])
        elif fault is Fault.RESET_BEFORE:
            self._reset()
        else:
            accept()
            self.server_state.release.wait(self.server_state.answers_after_s)
            self._answer_late(fault, answer)

    def _answer_late(self, fault: Fault, answer: dict[str, Any]) -> None:
        if fault is Fault.STATUS_500:
            self._page(500)
        elif fault is Fault.RESET_AFTER:
            self._reset()
        elif fault is Fault.SILENT_AFTER:
            self.server_state.release.wait(30)
            self.close_connection = True
        elif fault is Fault.HALF_AN_ANSWER:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")
            self.close_connection = True
        elif fault is Fault.NO_JSON:
            self._page(200)
        elif fault is Fault.OTHER_JSON:
            self._answer(200, {"ok": True})
        else:
            self._answer(200, answer)

    def _page(self, status: int) -> None:
        self._write(status, b"<html><h1>a page</h1></html>", "text/html")

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        self._write(status, json.dumps(body).encode(), "application/json")

    def _write(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        # Whoever asked may have been killed meanwhile.
        with suppress(ConnectionError):
            self.end_headers()
            self.wfile.write(body)

    def _reset(self) -> None:
        """Close with RST, as a machine does that died."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        os.close(self.connection.detach())


def _solapi_group(*, failed: int) -> dict[str, Any]:
    counts = dict.fromkeys(
        ("sentTotal", "sentSuccess", "sentPending", "sentReplacement", "refund"), 0
    )
    cash = {"requested": 0, "replacement": 0, "refund": 0, "sum": 0}
    return {
        "count": {
            **counts,
            "total": 1,
            "registeredFailed": failed,
            "registeredSuccess": 1 - failed,
        },
        "countForCharge": {},
        "balance": cash,
        "point": cash,
        "app": {},
        "log": [],
        "status": "SENDING",
        "allowDuplicates": False,
        "isRefunded": False,
        "accountId": "1",
        "masterAccountId": None,
        "apiVersion": "4",
        "groupId": "G4V",
        "price": {},
        "dateCreated": None,
        "dateUpdated": None,
    }


def _solapi_taken(message: dict[str, Any]) -> dict[str, Any]:
    taken = {"messageId": "M4V01", "statusCode": "2000", "statusMessage": "정상 접수"}
    return {
        "failedMessageList": [],
        "groupInfo": _solapi_group(failed=0),
        "messageList": [taken],
    }


def _solapi_failed(message: dict[str, Any], code: str, reason: str) -> dict[str, Any]:
    failed = {
        "to": message["to"],
        "from": message["from"],
        "type": message["type"],
        "country": "82",
        "messageId": "M4V00",
        "statusCode": code,
        "statusMessage": reason,
        "accountId": "1",
    }
    return {"failedMessageList": [failed], "groupInfo": _solapi_group(failed=1)}
