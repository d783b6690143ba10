"""A container without an engine: the image's program, its environment and nothing else's."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from config.contracts.environment import MESSAGING_ENDPOINT
from local.hosts.docker_run import Run
from local.hosts.instance_home import Facts, InstanceHome
from local.hosts.ports import LOOPBACK, free_port
from local.processes import Record, record
from local.supervisor import write_json

#: Where the embedded AWS plays the provider of texts.
PROVIDER_PATH = "/_local/provider"


@dataclass(frozen=True)
class Container:
    """A container's record; `status` is `created`, `running`, `restarting` or `exited`."""

    id: str
    name: str
    image: str
    command: list[str]
    status: str
    exit_code: int
    restarts: int
    stop_timeout_s: int
    monitor: Record
    process: Record | None
    ports: dict[str, int] = field(default_factory=dict)
    started_at: float = 0.0


def load(home: InstanceHome, name: str) -> Container | None:
    """Return a container's record, None when there is none."""
    path = home.container_file(name)
    if not path.exists():
        return None
    fields: dict[str, Any] = json.loads(path.read_text())
    for key in ("monitor", "process"):
        fields[key] = Record(**fields[key]) if fields[key] else None
    return Container(**fields)


def save(home: InstanceHome, container: Container) -> None:
    """Keep a container's record."""
    write_json(home.container_file(container.name), asdict(container))


@dataclass(frozen=True)
class Program:
    """What is executed: command line, environment and working directory on this machine."""

    argv: list[str]
    env: dict[str, str]
    cwd: Path


def program(
    run: Run, image: Path, facts: Facts, temporary: Path, ports: Mapping[str, int]
) -> Program:
    """Return what a run of the image in directory `image` executes.

    Paths of the image are mapped into its directory. The environment is the image's and the run's
    alone; added are only where this machine's Python, temporary files, AWS, ports and provider of
    texts are.

    Raises: ValueError when neither image nor run names a command.
    """
    configuration = json.loads((image / "image.json").read_text())
    rootfs = image / "rootfs"

    def mapped(text: str) -> str:
        parts = text.split(":")
        inside = [part.startswith("/") and (rootfs / part[1:]).exists() for part in parts]
        whole = zip(parts, inside, strict=True)
        return ":".join(str(rootfs / part[1:]) if known else part for part, known in whole)

    argv = [mapped(word) for word in configuration["entrypoint"]]
    argv += [mapped(word) for word in run.command or configuration["command"]]
    if not argv:
        raise ValueError("no command specified")
    workdir = rootfs / configuration["workdir"].lstrip("/")
    image_env = {name: mapped(value) for name, value in configuration["env"].items()}
    search = [str(workdir), *filter(None, [image_env.get("PYTHONPATH")])]
    plumbing = {
        "PATH": facts.path,
        "HOME": str(temporary),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "PYTHONPATH": ":".join(search),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "AWS_ENDPOINT_URL": facts.endpoint,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": facts.imds,
        MESSAGING_ENDPOINT: f"{facts.endpoint.rstrip('/')}{PROVIDER_PATH}",
    }
    if ports:
        plumbing["API_BIND"] = f"{LOOPBACK}:{next(iter(ports.values()))}"
    return Program(argv, {**image_env, **run.env, **plumbing}, workdir)


def prepare(home: InstanceHome, run: Run, container_id: str) -> tuple[Container, Program]:
    """Give a container its name, ports and temporary directory, and record it.

    Raises: FileNotFoundError when the image is not there, FileExistsError when the name is taken,
    ValueError when there is no command.
    """
    facts = home.facts()
    image = image_directory(facts, run.image)
    name = run.name or f"container-{container_id[:12]}"
    temporary = Path(run.temporary) if run.temporary else home.tmp / name
    temporary.mkdir(parents=True, exist_ok=True)
    home.log.mkdir(exist_ok=True)
    ports = {outer: free_port() for outer in run.ports}
    what = program(run, image, facts, temporary, ports)
    container = Container(
        id=container_id,
        name=name,
        image=run.image,
        command=what.argv,
        status="created",
        exit_code=0,
        restarts=0,
        stop_timeout_s=run.stop_timeout_s,
        monitor=record(name, os.getpid()),
        process=None,
        ports=ports,
        started_at=time.time(),
    )
    with home.locked():
        if load(home, name):
            raise FileExistsError(f'The container name "/{name}" is already in use')
        save(home, container)
    if ports:
        home.publish(ports)
    return container, what


def image_directory(facts: Facts, image: str) -> Path:
    """Return the directory of `<registry>/<repository>:<tag>`.

    Raises: FileNotFoundError in the words of Docker when there is no such image.
    """
    repository, _, tag = image.rpartition("/")[2].partition(":")
    directory = Path(facts.images) / repository / (tag or "latest")
    if not (directory / "image.json").exists():
        raise FileNotFoundError(
            f"manifest for {image} not found: manifest unknown: Requested image not found"
        )
    return directory
