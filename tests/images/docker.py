"""A real container engine: the one that answers here, or one started for these tests alone.

An engine that answers already stays as it is. Ours has its data, socket and log in a folder of its
own and is ended by its process; what it did to iptables is undone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

#: More open files than this make `apt` and `useradd` of the builds close each of them, for minutes.
OPEN_FILES = 20000
PROGRAMS = ("docker", "dockerd", "ip", "iptables-save", "mmdebstrap", "prlimit")
_FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
_NO_RULES = """\
*filter
:INPUT ACCEPT
:FORWARD ACCEPT
:OUTPUT ACCEPT
COMMIT
*nat
:PREROUTING ACCEPT
:INPUT ACCEPT
:OUTPUT ACCEPT
:POSTROUTING ACCEPT
COMMIT
"""
_START_S = 60
_END_S = 60


class NoEngineError(Exception):
    """No engine answers, and none can be started: one line that says why."""


@dataclass(frozen=True)
class Docker:
    """The client. `environ` says where its engine is; one started here can pull nothing."""

    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    started_here: bool = False

    def __call__(self, *arguments: str, timeout_s: float = 120, code: int = 0) -> str:
        """Return what a command prints. Fails when it ends otherwise than with `code`."""
        done = self.run(*arguments, timeout_s=timeout_s)
        said = f"docker {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        assert done.returncode == code, said
        return done.stdout.strip()

    def run(self, *arguments: str, timeout_s: float) -> subprocess.CompletedProcess[str]:
        """Return how a command ended, whatever its exit code."""
        return subprocess.run(
            ["docker", *arguments],  # noqa: S607 - PATH says which client
            env=dict(self.environ),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def answers(self) -> bool:
        """Whether an engine is there."""
        found = shutil.which("docker", path=self.environ.get("PATH"))
        return bool(found) and self.run("version", timeout_s=30).returncode == 0


@contextmanager
def engine(folder: Path) -> Iterator[Docker]:
    """Yield the client of an engine; one that is started here keeps all it has in `folder`.

    Raises: NoEngineError.
    """
    if (present := Docker()).answers():
        yield present
        return
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        raise NoEngineError(f"no container engine answers, and to start one lacks {missing}")
    if os.geteuid():
        raise NoEngineError("no container engine answers, and only root can start one")
    docker = Docker({**os.environ, "DOCKER_HOST": f"unix://{folder}/docker.sock"}, True)
    with _network_as_before():
        process = _started(folder, docker)
        try:
            yield docker
        finally:
            process.terminate()
            process.wait(_END_S)
            # The namespace of `--network host` stays mounted.
            namespace = folder / "exec" / "netns" / "default"
            subprocess.run(["umount", namespace], capture_output=True, check=False)  # noqa: S607
            shutil.rmtree(folder / "data", ignore_errors=True)


@contextmanager
def _network_as_before() -> Iterator[None]:
    """Undo what an engine does to the network: its bridge, its rules, and forwarding."""
    forwarding = _FORWARDING.read_text()
    rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout  # noqa: S607
    try:
        yield
    finally:
        subprocess.run(["ip", "link", "delete", "docker0"], capture_output=True, check=False)  # noqa: S607
        # What was never used is not saved, and not restored either.
        for wanted in (_NO_RULES, rules):
            subprocess.run(["iptables-restore"], input=wanted, text=True, check=True)  # noqa: S607
        _FORWARDING.write_text(forwarding)


def _started(folder: Path, docker: Docker) -> subprocess.Popen[bytes]:
    places = ["--data-root", folder / "data", "--exec-root", folder / "exec"]
    files = ["--pidfile", folder / "pid", "--host", docker.environ["DOCKER_HOST"]]
    log = folder / "dockerd.log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            ["prlimit", f"--nofile={OPEN_FILES}", "dockerd", *places, *files],  # noqa: S607
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_S
    while not docker.answers():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait(_END_S)
            last = log.read_text("utf-8", "replace").strip().splitlines()[-1:]
            raise NoEngineError(f"dockerd does not start here: {' '.join(last)}")
        time.sleep(0.2)
    return process
