"""Start, find and stop the embedded AWS of a state directory, from another process."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from local.hosts.ports import LOOPBACK, free_port, listens
from local.processes import Record, is_running, record, stop
from local.supervisor import stop_recorded, write_json

DIRECTORY_VARIABLE = "ACADEMY_LOCAL_DIR"
DEFAULT_PORT = 4566
_REPOSITORY = Path(__file__).resolve().parents[1]
_START_S = 60.0
#: The daemon gives its children 20 s, instances first.
_STOP_S = 60.0


class StartError(RuntimeError):
    """The embedded AWS cannot start; says why and what helps."""


@dataclass(frozen=True)
class State:
    """What `state.json` keeps: the port, also of an AWS that was stopped, and the process."""

    port: int
    server: Record | None

    @property
    def endpoint(self) -> str:
        """The address for AWS_ENDPOINT_URL."""
        return f"http://localhost:{self.port}"

    @property
    def running(self) -> bool:
        """Tell whether the recorded process, and no other, runs."""
        return self.server is not None and is_running(self.server)


def state_directory() -> Path:
    """Return `.local` in the repository, or the directory that ACADEMY_LOCAL_DIR names."""
    return Path(os.environ.get(DIRECTORY_VARIABLE) or _REPOSITORY / ".local").resolve()


def load(state_dir: Path) -> State | None:
    """Return the recorded state, None before the first start."""
    path = state_dir / "state.json"
    if not path.exists():
        return None
    found = json.loads(path.read_text())
    return State(found["port"], Record(**found["server"]) if found["server"] else None)


def start(state_dir: Path, port: int | None = None) -> State:
    """Start the embedded AWS unless it runs; return when it answers.

    The port is the given one, else the recorded one, else 4566, else a free one.

    Raises: StartError when the given port is somebody else's, or it does not answer in time.
    """
    with _locked(state_dir):
        known = load(state_dir)
        if known and known.running:
            if port not in {None, known.port}:
                raise StartError(
                    f"an embedded AWS already runs on port {known.port}; stop it first "
                    "(python -m local stop) to move it"
                )
            _wait(known, state_dir)
            return known
        stop_recorded(state_dir)
        state = _launch(state_dir, _port(port, known))
        try:
            _wait(state, state_dir)
        except StartError:
            if port is not None or state.running or not listens(state.port):
                raise
            # Another start took the port after we had found it free.
            state = _launch(state_dir, free_port())
            _wait(state, state_dir)
        return state


def stop_all(state_dir: Path) -> list[Record]:
    """End the embedded AWS and everything recorded that it started; returns what was running."""
    with _locked(state_dir):
        known = load(state_dir)
        stopped: list[Record] = []
        if known and known.server:
            stopped += stop([(known.server, signal.SIGTERM)], _STOP_S)
            write_json(state_dir / "state.json", asdict(State(known.port, None)))
        return stopped + stop_recorded(state_dir)


def healthy(state: State) -> bool:
    """Tell whether it, and no other embedded AWS on its port, answers the health request."""
    try:
        url = f"http://{LOOPBACK}:{state.port}/_local/health"
        with urllib.request.urlopen(url, timeout=2) as answer:
            process = json.load(answer)["process"]
    except (OSError, ValueError, LookupError):
        return False
    return state.server is not None and process == state.server.pid


def _port(wanted: int | None, known: State | None) -> int:
    if wanted is None:
        return free_port(known.port if known else DEFAULT_PORT)
    if listens(wanted):
        raise StartError(
            f"port {wanted} is held by a process that is not ours; end it, or choose another "
            "port: python -m local start --port PORT"
        )
    return wanted


def _launch(state_dir: Path, port: int) -> State:
    log_path = state_dir / "log" / "aws.log"
    log_path.parent.mkdir(parents=True, exist_ok=True)
    keep = ("PATH", "HOME", "LANG", "TMPDIR", "XDG_RUNTIME_DIR", "LD_LIBRARY_PATH")
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local", "serve", str(state_dir), str(port)],
            cwd=_REPOSITORY,
            env={key: os.environ[key] for key in keep if key in os.environ},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    state = State(port, record("embedded AWS", process.pid))
    write_json(state_dir / "state.json", asdict(state))
    return state


def _wait(state: State, state_dir: Path) -> None:
    deadline = time.monotonic() + _START_S
    while not healthy(state):
        if not state.running or time.monotonic() > deadline:
            log = state_dir / "log" / "aws.log"
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
            raise StartError(f"the embedded AWS does not answer; the end of {log}:\n{tail}")
        time.sleep(0.05)


@contextmanager
def _locked(state_dir: Path) -> Iterator[None]:
    """Let one command at a time start or stop it."""
    state_dir.mkdir(parents=True, exist_ok=True)
    with (state_dir / ".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
