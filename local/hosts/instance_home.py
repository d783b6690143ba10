"""An instance's own directory: where its files, shims, containers, ports and logs lie.

instance.json   facts for the shims      root/   what the user data sees as /etc/academy, ...
bin/            shims in front of PATH   containers/<name>.json   one record a container
ports.json      container port -> loopback port                   log/<container>.log
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from local.supervisor import write_json


@dataclass(frozen=True)
class Facts:
    """What an instance's shims need to know; `path` is the venv's bin and the system's."""

    instance_id: str
    images: str
    path: str
    endpoint: str
    imds: str
    region: str


@dataclass(frozen=True)
class InstanceHome:
    """The paths below one instance's directory."""

    directory: Path

    @property
    def root(self) -> Path:
        return self.directory / "root"

    @property
    def bin(self) -> Path:
        return self.directory / "bin"

    @property
    def log(self) -> Path:
        return self.directory / "log"

    @property
    def tmp(self) -> Path:
        return self.directory / "tmp"

    @property
    def boot_log(self) -> Path:
        return self.root / "var/log/academy-boot.log"

    @property
    def no_registry(self) -> Path:
        """A file that is there when no registry answers this instance."""
        return self.directory / "no-registry"

    @property
    def booted(self) -> Path:
        """There once the instance has begun its first boot."""
        return self.directory / "booted"

    def write_facts(self, facts: Facts) -> None:
        """Keep the facts for the shims."""
        write_json(self.directory / "instance.json", asdict(facts))

    def facts(self) -> Facts:
        """Return the instance's facts."""
        return Facts(**json.loads((self.directory / "instance.json").read_text()))

    def container_file(self, name: str) -> Path:
        """Return where a container's record lies."""
        return self.directory / "containers" / f"{name}.json"

    def container_files(self) -> list[Path]:
        """Return the records of all containers, by name."""
        return sorted((self.directory / "containers").glob("[!.]*.json"))

    def ports(self) -> dict[str, int]:
        """Return loopback ports by the instance port that they stand for (`"8000"`)."""
        path = self.directory / "ports.json"
        found: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def publish(self, ports: Mapping[str, int]) -> None:
        """Add ports to those of the instance."""
        with self.locked():
            write_json(self.directory / "ports.json", {**self.ports(), **ports})

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the instance's lock: its shims run at the same time."""
        with (self.directory / ".lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
