"""A range-capable HTTP server on loopback over a `MemoryStorage`: what presigned URLs point at."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import quote, unquote, urlsplit

from worker_images.base.testing import MemoryStorage


class HttpStorage(MemoryStorage):
    """`MemoryStorage` whose presigned GET URLs are answered, with ranges, as S3 does.

    `failures` are statuses to answer the next requests with; `sent_bytes` is what went out.
    """

    def __init__(self, objects: dict[str, bytes] | None = None) -> None:
        super().__init__(objects)
        self.address = ""
        self.failures: list[int] = []
        self.requests = 0
        self.sent_bytes = 0

    def presign_get(self, key: str, *, expires_s: int) -> str:
        return f"{self.address}/{quote(key)}?X-Amz-Expires={expires_s}"


@contextmanager
def http_storage(objects: dict[str, bytes] | None = None) -> Iterator[HttpStorage]:
    """Serve a storage until the block ends."""
    storage = HttpStorage(objects)
    handler = type("Handler", (_Handler,), {"storage": storage})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        storage.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield storage
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    storage: ClassVar[HttpStorage]

    def do_GET(self) -> None:
        self.storage.requests += 1
        found = self.storage.objects.get(unquote(urlsplit(self.path).path).lstrip("/"))
        if self.storage.failures:
            self._answer(self.storage.failures.pop(0))
        elif found is None:
            self._answer(HTTPStatus.NOT_FOUND)
        else:
            self._send(found.data)

    def _send(self, data: bytes) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked is None:
            self._answer(HTTPStatus.OK, data)
            return
        first, last = int(asked[1]), int(asked[2] or len(data) - 1)
        if first >= len(data):
            self._answer(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, span=f"*/{len(data)}")
            return
        part = data[first : last + 1]
        span = f"{first}-{first + len(part) - 1}/{len(data)}"
        self._answer(HTTPStatus.PARTIAL_CONTENT, part, span=span)

    def _answer(self, status: int, body: bytes = b"", *, span: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Accept-Ranges", "bytes")
        if span:
            self.send_header("Content-Range", f"bytes {span}")
        self.end_headers()
        try:
            self.wfile.write(body)
            self.storage.sent_bytes += len(body)
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""
