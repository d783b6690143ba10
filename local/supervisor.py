"""The processes of the embedded AWS: started, recorded, ended; nothing else is ever signalled."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from local import launcher
from local.processes import Record, is_running, record, stop

RECORDS = "processes.json"


@dataclass(frozen=True)
class Child:
    """A supervised process. `stop_signal` asks it to end, and reaches it if this process dies."""

    record: Record
    stop_signal: int
    process: subprocess.Popen[bytes] = field(compare=False, repr=False)

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def pid(self) -> int:
        return self.record.pid

    def running(self) -> bool:
        """Tell whether it still runs; reaps it when it has ended."""
        return self.process.poll() is None


class Supervisor:
    """Starts processes and keeps `processes.json` below the state directory in step.

    Thread-safe. Linux ends a child when the *thread* that forked it ends, so one thread that
    lives as long as this process forks them all.
    """

    def __init__(self, state_dir: Path) -> None:
        self._file = state_dir / RECORDS
        self._children: list[Child] = []
        self._lock = threading.Lock()
        self._forker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="forker")

    def spawn(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        log_path: Path,
        stop_signal: int = signal.SIGTERM,
        prefix: Sequence[str] = (),
    ) -> Child:
        """Start `argv` as the leader of its own session; output is appended to `log_path`.

        `prefix` is a program that changes the user and then becomes `argv`: the death signal
        is arranged after it, because a change of user clears it.

        Raises: OSError when the working directory or the log cannot be opened.
        """
        command = [*prefix, *launch(argv, os.getpid(), stop_signal)]
        log_path.parent.mkdir(parents=True, exist_ok=True)
        with log_path.open("ab") as log:
            process = self._forker.submit(
                subprocess.Popen,
                command,
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            ).result()
        child = Child(record(name, process.pid), stop_signal, process)
        with self._lock:
            self._children.append(child)
            self._write()
        return child

    def running(self) -> list[Child]:
        """Return the children that still run, oldest first."""
        with self._lock:
            return [child for child in self._children if child.running()]

    def stop(self, child: Child, grace_s: float = 10.0) -> int | None:
        """End a child with everything it started; returns its exit code (negative: a signal)."""
        stop([(child.record, child.stop_signal)], grace_s)
        code = child.process.wait()
        with self._lock:
            self._write()
        return code

    def stop_all(self, grace_s: float = 10.0) -> None:
        """End every child; all are asked at once, so the grace is shared."""
        with self._lock:
            children = list(self._children)
        stop([(child.record, child.stop_signal) for child in children], grace_s)
        for child in children:
            child.process.wait()
        with self._lock:
            self._write()

    def _write(self) -> None:
        self._children = [child for child in self._children if child.running()]
        write_json(
            self._file,
            [
                {**asdict(child.record), "stop_signal": child.stop_signal}
                for child in self._children
            ],
        )


def launch(argv: Sequence[str], parent: int, number: int) -> list[str]:
    """Return the command that becomes `argv` and gets signal `number` when `parent` dies."""
    return [sys.executable, "-I", "-S", launcher.__file__, str(parent), str(int(number)), *argv]


def recorded(state_dir: Path) -> list[tuple[Record, int]]:
    """Return the processes recorded below a state directory with their stop signals."""
    path = state_dir / RECORDS
    if not path.exists():
        return []
    entries = json.loads(path.read_text())
    return [
        (Record(**{key: one[key] for key in Record.__dataclass_fields__}), one["stop_signal"])
        for one in entries
    ]


def stop_recorded(state_dir: Path, grace_s: float = 10.0) -> list[Record]:
    """End what an embedded AWS left running; returns what was still there.

    Only processes whose number and identity both match their record are signalled.
    """
    stopped = stop(recorded(state_dir), grace_s)
    if not any(is_running(one) for one, _ in recorded(state_dir)):
        write_json(state_dir / RECORDS, [])
    return stopped


def write_json(path: Path, value: object) -> None:
    """Replace a file by JSON in one move, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(value, file, indent=1)
    aside.replace(path)
