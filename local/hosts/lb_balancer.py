"""One load balancer: a listening door for each of its listeners."""

from __future__ import annotations

import random
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.hosts import Address
from local.hosts.lb_proxy import listen
from local.hosts.lb_routes import Asked, Rule, chosen, target_groups, weights
from local.hosts.lb_server import Choice

NextTarget = Callable[[str, int], Address | None]
#: Gets target group (None: the balancer itself), status and seconds of an answer.
Count = Callable[[str | None, int, float], None]


@dataclass(frozen=True)
class Listener:
    """A listener as ELBv2 describes it; `tls` is None for plain HTTP."""

    port: int
    rules: tuple[Rule, ...]
    tls: ssl.SSLContext | None = None


class _Door:
    """One listener's rules and its turn among targets; the proxy's Router."""

    def __init__(
        self, port: int, next_target: NextTarget, ports: Mapping[int, int], count: Count
    ) -> None:
        self.rules: tuple[Rule, ...] = ()
        self.ports = ports
        self.count = count
        self._next_target = next_target
        self._turn = 0
        self.server = listen(port, self)
        name = f"balancer:{self.server.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True, name=name).start()

    def action(self, asked: Asked) -> Mapping[str, Any] | None:
        """Return the action of the rule that matches, None without a listener."""
        return chosen(self.rules, asked)

    def target(self, action: Mapping[str, Any]) -> Choice:
        """Return the next target in turn: a healthy one, else any that failed (ELB's fail-open)."""
        groups = weights(action)
        [group] = random.choices(list(groups), list(groups.values()))  # noqa: S311 (no secret)
        self._turn += 1
        return Choice(group, self._next_target(group, self._turn))

    def serve(self, listener: Listener) -> None:
        self.rules, self.server.tls = listener.rules, listener.tls

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Balancer:
    """A balancer's doors. Thread-safe.

    The front door listens from the beginning, answers 503 without a listener, and belongs to the
    first plain one, else to the first; its port is what the DNSName says. Every other listener
    has a door of its own.
    """

    def __init__(
        self,
        name: str,
        next_target: NextTarget,
        local_port: Callable[[str], int],
        count: Count,
    ) -> None:
        self._count = count
        self._name = name
        self._next_target = next_target
        self._local_port = local_port
        self._ports: dict[int, int] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._front = _Door(local_port(name), next_target, self._ports, count)
        self._others: dict[int, _Door] = {}

    @property
    def port(self) -> int:
        """The local port of the front door."""
        return self._front.server.port

    @property
    def groups(self) -> set[str]:
        """The target groups that any listener forwards to."""
        doors = (self._front, *list(self._others.values()))
        return {group for door in doors for group in target_groups(door.rules)}

    def settle(self, listeners: Sequence[Listener]) -> None:
        """Open, change and close doors, so that they are those of the listeners."""
        ordered = sorted(listeners, key=lambda one: (one.tls is not None, one.port))
        front = ordered[0] if ordered else Listener(0, ())
        with self._lock:
            if self._closed:
                return
            others = {listener.port: listener for listener in ordered[1:]}
            for port in self._others.keys() - others.keys():
                self._others.pop(port).close()
            for port, listener in others.items():
                if port not in self._others:
                    local = self._local_port(f"{self._name}:{port}")
                    self._others[port] = _Door(local, self._next_target, self._ports, self._count)
                self._others[port].serve(listener)
            self._front.serve(front)
            self._ports.clear()
            self._ports.update({port: door.server.port for port, door in self._others.items()})
            self._ports[front.port] = self.port

    def close(self) -> None:
        """Close every door for good."""
        with self._lock:
            self._closed = True
            for door in (self._front, *self._others.values()):
                door.close()
