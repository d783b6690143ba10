"""boto3 clients whose HTTP goes in process into the embedded AWS: same bytes, no socket."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from moto.core.request import Request
from werkzeug.test import run_wsgi_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

#: moto's account; the templates of the local environment carry it.
ACCOUNT = "123456789012"
REGION = "ap-northeast-2"
#: Accepted by everything here and by nothing anywhere else.
ACCESS_KEY, SECRET_KEY = "testing", "testing"

_CONFIG = Config(
    retries={"total_max_attempts": 1},
    s3={"addressing_style": "path"},
    parameter_validation=True,
)


class Clients:
    """The clients of one embedded AWS, made at first use and shared by all threads.

    `endpoint` is what the service's answers and presigned URLs are to carry; nothing connects
    to it.
    """

    def __init__(
        self, application: WSGIApplication, *, endpoint: str = "http://localhost:80"
    ) -> None:
        core = botocore.session.get_session()
        core.register("before-send", _in_process(application))
        self._session = boto3.Session(
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            region_name=REGION,
            botocore_session=core,
        )
        self._endpoint = endpoint
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def client(self, service: str) -> Any:
        """Return the client of an AWS service (botocore's name)."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._session.client(
                    service,  # type: ignore[call-overload]
                    endpoint_url=self._endpoint,
                    config=_CONFIG,
                )
            return self._clients[service]


class _Raw(io.BytesIO):
    """A response body as botocore reads urllib3's."""

    def stream(self, **_: object) -> Iterator[bytes]:
        while chunk := self.read(1 << 20):
            yield chunk


def _in_process(application: WSGIApplication) -> Any:
    def send(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        body: Any = request.body
        if hasattr(body, "read"):
            body = body.read()
        environ = Request.from_primitives(
            request.method, request.url, request.headers, body
        ).environ
        chunks, status, headers = run_wsgi_app(application, environ, buffered=True)
        content = b"".join(chunks)
        code = int(status.split(" ", 1)[0])
        return AWSResponse(
            request.url, code, HTTPHeaders.from_pairs(headers.items()), _Raw(content)
        )

    return send
