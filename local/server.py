"""The composition of one embedded AWS, and its HTTP server on loopback."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moto.moto_api._internal.models import moto_api_backend
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.test import run_wsgi_app

from local import text_provider
from local.application import Application
from local.clients import ACCOUNT, REGION, Clients
from local.clock import Clock
from local.cloudformation.service import CloudFormation
from local.cloudformation.store import Store
from local.cloudformation.workspace import Workspace
from local.faults import Faults
from local.hosts import Hosts
from local.protocol import Service
from local.services import moto_repairs
from local.services.autoscaling.service import AutoScalingService
from local.services.database_passwords import DatabasePasswords
from local.services.elasticache.service import ElastiCache
from local.services.rotations import Rotations
from local.services.sqs.service import SqsService
from local.signals import Signals
from local.storage_front import StorageFront
from local.text_provider import TextProvider

HOST = "127.0.0.1"
_BODILESS = {204, 304}


@dataclass(frozen=True)
class Surroundings:
    """What hosts and services are made with."""

    application: Application
    clients: Clients
    clock: Clock
    endpoint: str


ServiceFactory = Callable[[Surroundings, Hosts], Service]

#: Besides CloudFormation, what moto does not play well enough.
SERVICES: tuple[ServiceFactory, ...] = (
    lambda around, hosts: SqsService(
        around.clock, account=ACCOUNT, region=REGION, base_url=lambda: around.endpoint
    ),
    lambda around, hosts: AutoScalingService(
        around.clock, account=ACCOUNT, region=REGION, clients=around.clients
    ),
    lambda around, hosts: Rotations(
        around.clock, account=ACCOUNT, region=REGION, functions=hosts.functions
    ),
    lambda around, hosts: DatabasePasswords(around.clients, hosts.databases),
    lambda around, hosts: ElastiCache(account=ACCOUNT, region=REGION, caches=hosts.caches),
)


class EmbeddedAws:
    """One embedded AWS. There is one at a time in a process: moto's state is the process's."""

    def __init__(
        self,
        surroundings: Surroundings,
        hosts: Hosts,
        services: Mapping[str, Service],
        faults: Faults,
        port: int,
    ) -> None:
        self.application = surroundings.application
        self.clients = surroundings.clients
        self.clock = surroundings.clock
        self.endpoint = surroundings.endpoint
        self.hosts = hosts
        self.services = services
        self.faults = faults
        self._port = port
        self._server: BaseWSGIServer | None = None

    def start(self) -> None:
        """Listen on loopback; requests are answered when this returns."""
        self._server = make_server(
            HOST, self._port, self.application, threaded=True, request_handler=_Handler
        )
        threading.Thread(
            target=self._server.serve_forever, daemon=True, name="embedded-aws"
        ).start()

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


def build(
    *,
    port: int,
    clock: Clock,
    services: Sequence[ServiceFactory] = SERVICES,
    make_hosts: Callable[[Surroundings], Hosts] | None = None,
) -> EmbeddedAws:
    """Compose a fresh embedded AWS; nothing listens yet.

    `port` is the one that it is to listen on and that URLs in answers carry. Whatever `make_hosts`
    mounts or calls comes through the surroundings.
    """
    moto_repairs.apply()
    moto_api_backend.reset()
    faults = Faults()
    application = Application(faults)
    endpoint = f"http://localhost:{port}"
    clients = Clients(application, endpoint=endpoint)
    surroundings = Surroundings(application, clients, clock, endpoint)
    application.storage = StorageFront(clients, clock)
    provider = TextProvider(faults)
    application.mount(text_provider.PREFIX, provider)
    application.mount(text_provider.TAKEN, provider)
    hosts = make_hosts(surroundings) if make_hosts else Hosts()
    made = [factory(surroundings, hosts) for factory in services]
    made.append(CloudFormation(Workspace(Store(clock), clients, hosts, endpoint, Signals(clock))))
    for service in made:
        application.add(service)
    return EmbeddedAws(
        surroundings, hosts, {service.name: service for service in made}, faults, port
    )


class _Handler(WSGIRequestHandler):
    """Keeps connections: werkzeug closes each, and waits 10 ms for what it may not have read.

    The application reads bodies to their end, see `Application.__call__`. An answer is sent whole,
    with its length; what S3 and the others answer is in memory anyway.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def run_wsgi(self) -> None:
        """Answer one request."""
        chunks, status, headers = run_wsgi_app(self.server.app, self.make_environ(), buffered=True)
        body = b"".join(chunks)
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers and int(code) not in _BODILESS:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_expect_100(self) -> bool:
        """Send for the body at once: the client waits for it."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Log nothing: a poll every few milliseconds would drown what matters."""
