"""The HTTP side of a load balancer: a reverse proxy that streams bodies both ways.

Threads of the standard library instead of a proxy library: a handful of connections on loopback,
and no dependency to lock.
"""

from __future__ import annotations

import http.client
import secrets
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar

from local.hosts.lb_routes import Asked, redirect_location
from local.hosts.lb_server import IDLE_S, Choice, ProxyServer, Router

_BLOCK = 1 << 16
_HOP = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te"),
        *("trailer", "transfer-encoding", "upgrade", "proxy-connection"),
    }
)
_TITLES = {
    400: "400 Bad Request",
    500: "500 Internal Server Error",
    502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
}


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "awselb/2.0", ""
    timeout = IDLE_S
    disable_nagle_algorithm = True
    wbufsize = _BLOCK
    server: ProxyServer
    _interim: ClassVar[frozenset[int]] = frozenset({204, 304})

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""

    def _any(self) -> None:
        asked = Asked(
            method=self.command,
            target=self.path,
            host=self.headers.get("Host", ""),
            headers={name.lower(): value for name, value in self.headers.items()},
            client=str(self.client_address[0]),
        )
        action = self.server.router.action(asked)
        if action is None:
            self._fail(503)
        elif action["Type"] == "forward":
            self._forward(asked, self.server.router.target(action))
        elif action["Type"] == "redirect":
            self._redirect(asked, action["RedirectConfig"])
        elif action["Type"] == "fixed-response":
            fixed = action["FixedResponseConfig"]
            body = (fixed.get("MessageBody") or "").encode()
            kind = fixed.get("ContentType") or "text/plain"
            self._answer(int(fixed["StatusCode"]), body, {"Content-Type": kind})
        else:
            self._fail(500)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _any  # noqa: N815

    @property
    def _protocol(self) -> str:
        return "http" if self.server.tls is None else "https"

    def _redirect(self, asked: Asked, config: Any) -> None:
        location = redirect_location(
            config,
            asked,
            protocol=self._protocol,
            port=self.server.port,
            ports=self.server.router.ports,
        )
        status = 301 if config["StatusCode"] == "HTTP_301" else 302
        self._answer(status, b"", {"Location": location})

    def _forward(self, asked: Asked, choice: Choice) -> None:
        if choice.address is None:
            self._fail(503)
            return
        upstream = http.client.HTTPConnection(*choice.address, timeout=IDLE_S)
        try:
            self._send(upstream, asked)
            sent = time.monotonic()
            answer = upstream.getresponse()
        except TimeoutError:
            self._fail(504)
        except (OSError, http.client.HTTPException):
            self._fail(502)
        else:
            passed_s = time.monotonic() - sent
            self.server.router.count(choice.group, answer.status, passed_s)
            self._relay(answer)
        finally:
            upstream.close()

    def _send(self, upstream: http.client.HTTPConnection, asked: Asked) -> None:
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        chunked = "chunked" in asked.headers.get("transfer-encoding", "").lower()
        forwarded = asked.headers.get("x-forwarded-for")
        added = {
            "X-Forwarded-For": f"{forwarded}, {asked.client}" if forwarded else asked.client,
            "X-Forwarded-Proto": self._protocol,
            "X-Forwarded-Port": str(self.server.port),
            "X-Amzn-Trace-Id": asked.headers.get("x-amzn-trace-id")
            or f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}",
            "Connection": "close",
        }
        replaced = {name.lower() for name in added} | _HOP | {"expect"}
        for name, value in self.headers.items():
            if name.lower() not in replaced:
                upstream.putheader(name, value)
        for name, value in added.items():
            upstream.putheader(name, value)
        if chunked:
            upstream.putheader("Transfer-Encoding", "chunked")
        upstream.endheaders()
        for block in self._body(chunked=chunked):
            upstream.send(b"%x\r\n%b\r\n" % (len(block), block) if chunked else block)
        if chunked:
            upstream.send(b"0\r\n\r\n")

    def _body(self, *, chunked: bool) -> Iterator[bytes]:
        """Yield the request's body as it comes in."""
        if not chunked:
            left = int(self.headers.get("Content-Length") or 0)
            while left and (block := self.rfile.read1(min(left, _BLOCK))):
                left -= len(block)
                yield block
            return
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass

    def _relay(self, answer: http.client.HTTPResponse) -> None:
        """Pass an answer on while it comes in."""
        length = answer.getheader("Content-Length")
        empty = self.command == "HEAD" or answer.status in self._interim
        chunked = not empty and length is None and self.request_version == "HTTP/1.1"
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP:
                self.send_header(name, value)
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif length is None and not empty:
            self.close_connection = True
        self.end_headers()
        while not empty and (block := answer.read1(_BLOCK)):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(block), block) if chunked else block)
            self.wfile.flush()
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _fail(self, status: int) -> None:
        """Answer as ELB does, and close: the request's body may not have been read."""
        self.server.router.count(None, status, 0.0)
        title = _TITLES[status]
        page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}"
        self.close_connection = True
        headers = {"Content-Type": "text/html", "Connection": "close"}
        self._answer(status, f"{page}</h1></center>\r\n</body>\r\n</html>\r\n".encode(), headers)

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def listen(port: int, router: Router) -> ProxyServer:
    """Return a proxy that listens on a loopback port; `serve_forever` answers."""
    return ProxyServer(port, router, Handler)
