"""The WSGI application of the embedded AWS: our services first, moto for the rest."""

from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import moto.moto_server.werkzeug_app as moto_app
from moto.core.request import Request
from werkzeug.wrappers import Response

from local import addressing
from local.faults import Faults
from local.protocol import NotOurs, Service, respond
from local.services import custom_responses
from local.storage_front import StorageFront

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_LOG = logging.getLogger(__name__)
_LOCAL = "/_local/"
_CORS = "access-control-"


class Application:
    """Dispatches requests. Services, routes and the front of S3 are added once they exist."""

    def __init__(self, faults: Faults) -> None:
        #: moto would let every origin in; S3's CORS configuration decides here.
        settings: Any = moto_app
        settings.DISABLE_GLOBAL_CORS = True
        self._moto = moto_app.DomainDispatcherApplication(moto_app.create_backend_app)
        self._faults = faults
        self._services: dict[str, Service] = {}
        self._routes: dict[str, WSGIApplication] = {}
        self.storage: StorageFront | None = None

    def add(self, service: Service) -> None:
        """Answer a service's requests by ours from now on."""
        self._services[service.name] = service

    def mount(self, prefix: str, application: WSGIApplication) -> None:
        """Hand requests whose path starts with `prefix` (below /_local/) to an application."""
        self._routes[prefix] = application

    @property
    def services(self) -> list[str]:
        """The names of our own services."""
        return sorted(self._services)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request. Its body is read whole, so that the connection can be kept."""
        body = _read(environ)
        path = environ.get("PATH_INFO", "")
        if path.startswith(_LOCAL):
            return self._local(path, environ)(environ, start_response)
        request = Request(environ)
        service = addressing.service_of(request, self._services)
        name = service or "s3"
        try:
            answer = self._answer(name, request)
        except Exception as error:
            _LOG.exception("%s %s", name, path)
            answer = _failure(501, "NotImplemented", f"The embedded AWS failed on {name}: {error}")
        if answer is not None:
            return answer(environ, start_response)
        environ["wsgi.input"] = io.BytesIO(body)
        return self._by_moto(name, request, environ, start_response)

    def _answer(self, name: str, request: Request) -> Response | None:
        """Return our answer; None leaves the request to moto."""
        if self._faults.is_down(name):
            return _failure(503, "ServiceUnavailable", f"{name} is down (see /_local/faults)")
        if name in self._services:
            try:
                return respond(self._services[name], request)
            except NotOurs:
                return None
        if not addressing.is_known_to_moto(name):
            return _failure(501, "UnknownService", f"The embedded AWS has no service {name!r}")
        return self._before_s3(request) if name == "s3" else None

    def _before_s3(self, request: Request) -> Response | None:
        addressing.to_path_style(request.environ, _host(request))
        if self.storage is None:
            return None
        if request.method == "OPTIONS":
            return self.storage.preflight(request)
        return self.storage.refuse(request)

    def _by_moto(
        self,
        name: str,
        request: Request,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        extra: list[tuple[str, str]] = []
        if name == "s3" and self.storage is not None:
            extra = list(self.storage.cors_headers(request).items())

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            # moto's S3 adds some of a bucket's CORS headers by itself; a browser refuses two.
            kept = [each for each in headers if not each[0].lower().startswith(_CORS)]
            return start_response(status, [*kept, *extra], exc_info)

        try:
            answer: Iterable[bytes] = self._moto(environ, start)
        except Exception as error:
            _LOG.exception("moto failed on %s %s", name, environ.get("PATH_INFO"))
            text = f"The embedded AWS (moto) failed on {name}: {type(error).__name__}: {error}"
            return _failure(501, "NotImplemented", text)(environ, start_response)
        return answer

    def _local(self, path: str, environ: WSGIEnvironment) -> WSGIApplication:
        for prefix, application in self._routes.items():
            if path.startswith(prefix):
                return application
        request = Request(environ)
        if path == "/_local/health":
            return _json(
                {
                    "status": "ok",
                    "process": os.getpid(),
                    "services": self.services,
                    "down": self._faults.listed(),
                }
            )
        if path == "/_local/faults":
            return self._change_faults(request)
        if path.startswith(custom_responses.PATH) and request.method == "PUT":
            request_id = path.removeprefix(custom_responses.PATH)
            custom_responses.deliver(request_id, json.loads(request.get_data()))
            return Response(status=200)
        return _failure(404, "NotFound", f"Nothing is at {path}")

    def _change_faults(self, request: Request) -> Response:
        if request.method == "POST":
            wanted = request.get_json(force=True)
            if not isinstance(wanted, dict) or not isinstance(wanted.get("down"), bool):
                return _failure(400, "Invalid", 'Expected {"service": "sqs", "down": true}')
            self._faults.put(str(wanted.get("service")), down=wanted["down"])
        return _json({"down": self._faults.listed()})


def _read(environ: WSGIEnvironment) -> bytes:
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH")
    if environ.get("wsgi.input_terminated"):
        body: bytes = stream.read()
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
    else:
        body = stream.read(int(length)) if length else b""
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _host(request: Request) -> str:
    port = request.host.partition(":")[2]
    return f"localhost:{port}" if port else "localhost"


def _json(value: Any) -> Response:
    return Response(json.dumps(value), content_type="application/json")


def _failure(status: int, code: str, message: str) -> Response:
    body = json.dumps({"__type": code, "message": message})
    headers = {"x-amzn-ErrorType": code}
    return Response(body, status=status, content_type="application/json", headers=headers)
