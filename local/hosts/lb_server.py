"""The listening side of a load balancer: connections, plain or encrypted, and who routes them."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Protocol

from local.hosts import Address
from local.hosts.lb_routes import Asked
from local.hosts.ports import LOOPBACK

#: ELB's idle time-out.
IDLE_S = 60.0
#: How long a client may take to say good-bye to an encrypted connection.
_FAREWELL_S = 1.0


class Choice(NamedTuple):
    """The target group of a request, and one of its targets; None when nobody serves it."""

    group: str
    address: Address | None


class Router(Protocol):
    """Decides what becomes of a request.

    `ports` gives the local port of each of the balancer's listeners, by the listener's own.
    """

    ports: Mapping[int, int]

    def action(self, asked: Asked) -> Any:
        """Return the action of the rule that matches, None without a listener."""

    def target(self, action: Any) -> Choice:
        """Return where a forward action's next request goes."""

    def count(self, group: str | None, status: int, seconds: float) -> None:
        """Count an answer: a target's, or with no group the balancer's own."""


class ProxyServer(ThreadingHTTPServer):
    """A listening load balancer on loopback: plain HTTP unless `tls` says what to present."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, router: Router, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__((LOOPBACK, port), handler)
        self.router = router
        self.port = int(self.server_address[1])
        self.tls: ssl.SSLContext | None = None

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in its own thread, where a slow handshake delays nobody else."""
        if self.tls is None:
            super().finish_request(request, client_address)
            return
        request.settimeout(IDLE_S)
        with self.tls.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)
            secured.settimeout(_FAREWELL_S)
            with suppress(OSError, ValueError):
                secured.unwrap()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that goes away is no error."""
