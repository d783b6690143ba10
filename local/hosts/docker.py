"""The `docker` of an instance: `python -m local.hosts.docker <instance directory> <subcommand>...`.

Images are directories, containers are processes. Subcommands and flags are those that user data
uses; any other ends with code 125 and its name, as Docker's own errors do.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from local.hosts import docker_queries as queries
from local.hosts.container import image_directory, prepare
from local.hosts.docker_queries import DaemonError, say
from local.hosts.docker_run import Run, UsageError, parse_flags, parse_run
from local.hosts.instance_home import InstanceHome
from local.hosts.monitor import Monitor
from local.launcher import PR_SET_PDEATHSIG, prctl

_LOGINS = "logins.json"


def main(directory: Path, arguments: list[str]) -> int:
    """Run one subcommand and return its exit code."""
    home = InstanceHome(directory)
    try:
        if not arguments or arguments[0] not in _COMMANDS:
            word = arguments[0] if arguments else ""
            raise UsageError(f"'{word}' is not supported here; allowed: {', '.join(_COMMANDS)}")
        return _COMMANDS[arguments[0]](home, arguments[1:])
    except UsageError as error:
        print(f"docker: {error}", file=sys.stderr)  # noqa: T201 (a command line's answer)
        return 125
    except (DaemonError, FileNotFoundError) as error:
        _complain(error)
        return 1


def _complain(error: Exception) -> None:
    print(f"Error response from daemon: {error}", file=sys.stderr)  # noqa: T201 (as above)


def _login(home: InstanceHome, arguments: list[str]) -> int:
    """Check that a password came on stdin, and remember the registry."""
    flags, names = parse_flags(
        arguments, values={"--username", "-u"}, switches={"--password-stdin"}
    )
    if "--password-stdin" not in flags or len(names) != 1:
        raise UsageError("login needs --password-stdin and one registry")
    if not sys.stdin.read().strip():
        raise DaemonError(f"login attempt to https://{names[0]}/v2/ failed: no password on stdin")
    with home.locked():
        (home.directory / _LOGINS).write_text(json.dumps([*_logins(home), names[0]]))
    say("Login Succeeded")
    return 0


def _logins(home: InstanceHome) -> list[str]:
    path = home.directory / _LOGINS
    found: list[str] = json.loads(path.read_text()) if path.exists() else []
    return found


def _pull(home: InstanceHome, arguments: list[str]) -> int:
    _, names = parse_flags(arguments, switches={"-q", "--quiet"})
    if len(names) != 1:
        raise UsageError("'docker pull' requires exactly one image")
    registry = names[0].partition("/")[0]
    if registry not in _logins(home):
        raise DaemonError(f"pull access denied for {names[0]}: no basic auth credentials")
    if home.no_registry.exists():
        raise DaemonError(
            f'Get "https://{registry}/v2/": net/http: request canceled while waiting for '
            "connection (Client.Timeout exceeded while awaiting headers)"
        )
    image_directory(home.facts(), names[0])
    say(names[0])
    return 0


def _run(home: InstanceHome, arguments: list[str]) -> int:
    run = parse_run(arguments)
    container_id = secrets.token_hex(32)
    if run.detached:
        return _detach(home, run, container_id)
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    return _attend(home, run, container_id)


def _attend(
    home: InstanceHome, run: Run, container_id: str, recorded: Callable[[], None] | None = None
) -> int:
    """Run a container to its end; a failure before its start is Docker's 125.

    `recorded` is called before the start, and takes the terminal away.
    """
    try:
        container, program = prepare(home, run, container_id)
    except (FileNotFoundError, FileExistsError, ValueError) as error:
        _complain(error)
        return 125
    if recorded:
        recorded()
    return Monitor(home, run, container, program).run(attached=recorded is None)


def _detach(home: InstanceHome, run: Run, container_id: str) -> int:
    """Leave a monitor behind that the instance's host inherits; answer once it is recorded."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)
    os.setsid()
    reading, writing = os.pipe()
    parent = os.getpid()
    if os.fork():
        os.close(writing)
        os._exit(0 if os.read(reading, 1) else 125)  # nothing to read: it ended before its start
    os.close(reading)

    def let_go() -> None:
        say(container_id)
        os.write(writing, b"1")
        os.close(writing)
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        while os.getppid() == parent:  # the death signal is to be the new parent's
            time.sleep(0.001)
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    os._exit(_attend(home, run, container_id, let_go))


_COMMANDS: dict[str, Callable[[InstanceHome, list[str]], int]] = {
    "login": _login,
    "pull": _pull,
    "run": _run,
    "stop": queries.stop_command,
    "rm": queries.rm_command,
    "ps": queries.ps_command,
    "logs": queries.logs_command,
    "inspect": queries.inspect_command,
}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
