"""Docker's flags that user data may use; any other is refused by name, as Docker does."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

#: Confinement that a plain process cannot have; accepted, so that the same script runs here.
_CONFINEMENT = frozenset({"--cap-drop", "--security-opt", "--user", "-u"})
_SWITCHES = frozenset({"--rm", "-d", "--detach", "--read-only", "--no-healthcheck"})
_VALUES = _CONFINEMENT | {
    *("--name", "--env-file", "-e", "--env", "-p", "--publish", "-v", "--volume", "--tmpfs"),
    *("--log-driver", "--log-opt", "--restart", "--stop-timeout"),
}
_RESTARTS = ("no", "unless-stopped")
_LOG_DRIVERS = ("json-file", "awslogs")
#: Lines never stop a container here, so that `mode` may say that alone, and no buffer is full.
_LOG_OPTIONS = ("awslogs-group", "awslogs-stream", "mode", "max-buffer-size")


class UsageError(ValueError):
    """A command line that Docker, or this stand-in, refuses; exit code 125."""


@dataclass
class Run:
    """One `docker run`. `ports` maps instance ports to container ports; times in seconds."""

    image: str = ""
    command: list[str] = field(default_factory=list)
    name: str | None = None
    env: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    temporary: str | None = None
    log_driver: str = "json-file"
    log_options: dict[str, str] = field(default_factory=dict)
    restart: str = "no"
    stop_timeout_s: int = 10
    detached: bool = False
    remove: bool = False


def parse_run(arguments: list[str], environ: Mapping[str, str] = os.environ) -> Run:
    """Return the run that the arguments after `docker run` ask for.

    Raises: UsageError naming the flag or the value, and what is allowed.
    """
    run = Run()
    for flag, value in _flags(arguments, run):
        _set(run, flag, value, environ)
    if not run.image:
        raise UsageError("'docker run' requires an image")
    if run.log_driver == "awslogs":
        missing = {"awslogs-group", "awslogs-stream"} - run.log_options.keys()
        if missing:
            raise UsageError(f"log driver awslogs needs --log-opt {', '.join(sorted(missing))}")
    return run


def _flags(arguments: list[str], run: Run) -> Iterator[tuple[str, str]]:
    """Yield flags with values; what follows them is the image and its command."""
    rest = list(arguments)
    while rest and rest[0].startswith("-"):
        flag, equals, value = rest.pop(0).partition("=")
        if flag in _SWITCHES and not equals:
            yield flag, ""
        elif flag in _VALUES:
            if not equals:
                if not rest:
                    raise UsageError(f"flag needs an argument: {flag}")
                value = rest.pop(0)
            yield flag, value
        else:
            raise UsageError(f"unknown flag: {flag}")
    if rest:
        run.image, run.command = rest[0], rest[1:]


def _set(run: Run, flag: str, value: str, environ: Mapping[str, str]) -> None:  # noqa: PLR0912 (a table)
    match flag:
        case "--name":
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", value):
                raise UsageError(f"invalid container name {value!r}")
            run.name = value
        case "--env-file":
            run.env = {**_env_file(Path(value), environ), **run.env}
        case "-e" | "--env":
            run.env.update(_variable(value, environ))
        case "-p" | "--publish":
            run.ports.update(_port(value))
        case "-v" | "--volume" | "--tmpfs":
            run.temporary = _temporary(flag, value)
        case "--log-driver":
            run.log_driver = _allowed(flag, value, _LOG_DRIVERS)
        case "--log-opt":
            key, _, option = value.partition("=")
            if key == "mode":
                _allowed(f"{flag} mode", option, ("non-blocking",))
            run.log_options[_allowed(flag, key, _LOG_OPTIONS)] = option
        case "--restart":
            run.restart = _allowed(flag, value, _RESTARTS)
        case "--stop-timeout":
            if not value.isdecimal():
                raise UsageError(f"--stop-timeout {value!r} must be whole seconds")
            run.stop_timeout_s = int(value)
        case "-d" | "--detach":
            run.detached = True
        case "--rm":
            run.remove = True


def _allowed(flag: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise UsageError(f"{flag} {value!r} is not supported here; allowed: {', '.join(allowed)}")
    return value


def _variable(text: str, environ: Mapping[str, str]) -> dict[str, str]:
    name, equals, value = text.partition("=")
    if equals:
        return {name: value}
    return {name: environ[name]} if name in environ else {}


def _env_file(path: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Read a Docker environment file: values are taken as they stand, quotes included."""
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise UsageError(f"open {path}: {error.strerror}") from error
    found: dict[str, str] = {}
    for line in lines:
        if line.strip() and not line.lstrip().startswith("#"):
            found.update(_variable(line.lstrip(), environ))
    return found


def _port(value: str) -> dict[str, int]:
    match = re.fullmatch(r"(?:[0-9.]+:)?([0-9]+):([0-9]+)(?:/tcp)?", value)
    if not match:
        raise UsageError(f"invalid publish {value!r}; allowed: <instance port>:<container port>")
    return {match[1]: int(match[2])}


def _temporary(flag: str, value: str) -> str | None:
    """Return the directory that the container's /tmp is, None for a fresh one."""
    if flag == "--tmpfs":
        source, target = None, value.partition(":")[0]
    else:
        source, _, rest = value.partition(":")
        target = rest.partition(":")[0]
    if target.rstrip("/") != "/tmp":  # noqa: S108 (the container's)
        raise UsageError(f"{flag} {value!r} is not supported here; allowed target: /tmp")
    return source


def parse_flags(
    arguments: list[str], *, values: set[str] | None = None, switches: set[str] | None = None
) -> tuple[dict[str, str], list[str]]:
    """Return the flags with their values, and the names; refuse any other flag by name."""
    flags: dict[str, str] = {}
    names: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        flag, equals, value = word.partition("=")
        if not word.startswith("-"):
            names.append(word)
        elif flag in (values or ()):
            if not equals and not rest:
                raise UsageError(f"flag needs an argument: {flag}")
            flags[flag] = value if equals else rest.pop(0)
        elif word in (switches or ()):
            flags[word] = "true"
        else:
            raise UsageError(f"unknown flag: {flag}")
    return flags, names
