"""Containers of the images under test, confined as an instance's boot script confines them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.images.docker import Docker
from tests.unit.api.servers import ENVIRONMENT

#: As `stacks.constructs.boot.confined`.
CONFINED = (
    *("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
    *("--tmpfs", "/tmp"),
)
#: The servers listen on this machine's loopback.
HOST, ALONE = ("--network", "host"), ("--network", "none")
#: The image's own check, asked every second instead of every minute.
QUICK = ("--health-interval", "1s", "--health-retries", "2", "--health-start-period", "0s")
WITHIN_S = 180


@dataclass(frozen=True)
class Container:
    """One that runs."""

    docker: Docker
    name: str

    def state(self) -> dict[str, Any]:
        """Return what the engine knows of it."""
        found: dict[str, Any] = json.loads(self.docker("inspect", self.name))[0]["State"]
        return found

    def await_health(self, status: str) -> None:
        """Wait until the image's own check has answered `healthy` or `unhealthy`."""
        self.wait(lambda: self.state()["Health"]["Status"] == status, status)

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for something while the container runs."""
        deadline = time.monotonic() + WITHIN_S
        while not condition():
            assert self.state()["Running"], f"{self.name} ended:\n{self.logs()}"
            assert time.monotonic() < deadline, f"never {what}:\n{self.logs()}"
            time.sleep(0.3)

    def hang(self) -> None:
        """Stop its processes: the first from outside, since no other may, and the rest."""
        self.docker("kill", "--signal", "STOP", self.name)
        self.docker("exec", self.name, "sh", "-c", "kill -STOP -1 || true")

    def resume(self) -> None:
        """Let them go on."""
        self.docker("exec", self.name, "sh", "-c", "kill -CONT -1 || true")
        self.docker("kill", "--signal", "CONT", self.name)

    def logs(self) -> str:
        """Return what it has written."""
        done = self.docker.run("logs", self.name, timeout_s=30)
        return done.stdout + done.stderr

    def stop(self) -> int:
        """Send SIGTERM, as a deploy does, and return the exit code."""
        self.docker("stop", "--time", "30", self.name)
        return int(self.state()["ExitCode"])


@dataclass(frozen=True)
class Built:
    """The images by kind."""

    docker: Docker
    names: Mapping[str, str]

    def once(self, kind: str, *command: str, variables: Mapping[str, str] | None = None) -> str:
        """Return what a command prints in a container of its own."""
        given = _variables(ENVIRONMENT | dict(variables or {}))
        return self.docker("run", "--rm", *CONFINED, *HOST, *given, self.names[kind], *command)

    def facts(self, kind: str) -> dict[str, Any]:
        """Return what the engine knows of an image."""
        found: dict[str, Any] = json.loads(self.docker("image", "inspect", self.names[kind]))[0]
        return found

    @contextmanager
    def running(
        self,
        kind: str,
        variables: Mapping[str, str],
        *command: str,
        network: Sequence[str] = HOST,
    ) -> Iterator[Container]:
        """Yield a container of an image's own command, or of another, gone afterwards."""
        name = f"under-test-{kind}{len(command)}"
        options = (*CONFINED, *QUICK, *network, *_variables(ENVIRONMENT | dict(variables)))
        self.docker("run", "--detach", "--name", name, *options, self.names[kind], *command)
        try:
            yield Container(self.docker, name)
        finally:
            self.docker("rm", "--force", name)


def _variables(values: Mapping[str, str]) -> list[str]:
    return [word for name, value in values.items() for word in ("--env", f"{name}={value}")]
