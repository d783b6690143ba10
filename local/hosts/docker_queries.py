"""The subcommands of an instance's `docker` that look at containers, or end them."""

from __future__ import annotations

import json
import signal
import time
from contextlib import suppress
from dataclasses import asdict

from local.hosts.container import Container, load
from local.hosts.docker_run import UsageError, parse_flags
from local.hosts.instance_home import InstanceHome
from local.processes import is_running, signal_record


class DaemonError(Exception):
    """What Docker's daemon refuses; exit code 1."""


def say(text: str) -> None:
    """Answer a line at once."""
    print(text, flush=True)  # noqa: T201 (a command line's answer)


def _known(home: InstanceHome, name: str) -> Container:
    container = load(home, name)
    if container is None:
        raise DaemonError(f"No such container: {name}")
    return container


def stop_command(home: InstanceHome, arguments: list[str]) -> int:
    flags, names = parse_flags(arguments, values={"-t", "--time"})
    for name in names:
        end(_known(home, name), flags.get("-t") or flags.get("--time"))
        say(name)
    return 0


def end(container: Container, timeout: str | None = None) -> None:
    """End a container by its monitor; `timeout` (seconds) cuts its own stop time-out short."""
    signal_record(container.monitor, signal.SIGTERM)
    deadline = time.monotonic() + float(timeout or container.stop_timeout_s) + 2
    while is_running(container.monitor) and time.monotonic() < deadline:
        time.sleep(0.02)
    if container.process:
        signal_record(container.process, signal.SIGKILL)
    while is_running(container.monitor) and time.monotonic() < deadline + 5:
        time.sleep(0.02)


def rm_command(home: InstanceHome, arguments: list[str]) -> int:
    flags, names = parse_flags(arguments, switches={"-f", "--force"})
    for name in names:
        if flags and load(home, name) is None:  # forced, Docker only mentions it
            say(f"Error response from daemon: No such container: {name}")
            continue
        container = _known(home, name)
        if is_running(container.monitor):
            if not flags:
                raise DaemonError(f"cannot remove container {name!r}: container is running")
            end(container, "0")
        home.container_file(name).unlink(missing_ok=True)
        say(name)
    return 0


def ps_command(home: InstanceHome, arguments: list[str]) -> int:
    flags, _ = parse_flags(arguments, switches={"-a", "--all", "-q", "--quiet"})
    rows = []
    for path in home.container_files():
        container = _known(home, path.stem)
        running = is_running(container.monitor)
        if running or {"-a", "--all"} & flags.keys():
            state = container.status if running else f"Exited ({container.exit_code})"
            rows.append((container.id[:12], container.image, state, container.name))
    if {"-q", "--quiet"} & flags.keys():
        for row in rows:
            say(row[0])
        return 0
    for row in (("CONTAINER ID", "IMAGE", "STATUS", "NAMES"), *rows):
        say("   ".join(row))
    return 0


def logs_command(home: InstanceHome, arguments: list[str]) -> int:
    flags, names = parse_flags(arguments, values={"--tail", "-n"})
    container = _known(home, names[0] if names else "")
    lines: list[str] = []
    with suppress(FileNotFoundError):
        lines = (home.log / f"{container.name}.log").read_text(errors="replace").splitlines()
    tail = flags.get("--tail") or flags.get("-n") or "all"
    for line in lines if tail == "all" else lines[-int(tail) :]:
        say(line)
    return 0


def inspect_command(home: InstanceHome, arguments: list[str]) -> int:
    """Print a container as JSON, or one value of it by `--format '{{.A.B}}'`."""
    flags, names = parse_flags(arguments, values={"--format", "-f"})
    answers = [_inspected(_known(home, name)) for name in names]
    form = flags.get("--format") or flags.get("-f")
    if form is None:
        say(json.dumps(answers, indent=1))
        return 0
    path = form.removeprefix("{{.").removesuffix("}}").split(".")
    for answer in answers:
        value: object = answer
        for key in path:
            if not isinstance(value, dict) or key not in value:
                raise UsageError(f"template {form!r}: no field {key!r}")
            value = value[key]
        say(str(value))
    return 0


def _inspected(container: Container) -> dict[str, object]:
    running = is_running(container.monitor)
    return {
        "Id": container.id,
        "Name": f"/{container.name}",
        "RestartCount": container.restarts,
        "Config": {"Image": container.image, "Cmd": container.command},
        "State": {
            "Status": container.status if running else "exited",
            "Running": running,
            "ExitCode": container.exit_code,
            "Pid": container.process.pid if container.process and running else 0,
        },
        "Academy": asdict(container),
    }
