"""`python -m local`: start, use and stop the AWS that is embedded in this repository.

    python -m local start             start it (again: nothing happens), print its address
    eval "$(python -m local env)"     then aws, cdk, boto3 and psql talk to it
    python -m local images            build the worker images, print their tag
    python -m local status            what runs, and where its logs are
    python -m local stop              end what was started, and nothing else

While it runs, faults are put by POST to its address:

    /_local/faults {"service": "sqs", "down": true}   a service, or `texts`, answers 503
    /_local/boots {"fail_share": 0.2}                 a share of the next boots gets no image
    /_local/spot-notice {"instance_id": "i-...", "kind": "interruption", "within_s": 120}

Exit codes: 0 done, 1 it could not be done (the reason is on stderr), 2 wrong usage.
"""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table

from local import environment, lifetime
from local.dockerfile import DockerfileError
from local.hosts.instance_home import InstanceHome
from local.images import build_images
from local.processes import Record, is_running
from local.supervisor import recorded

#: Click leaves a paragraph after this character as it is.
_HELP = __doc__.replace("\n\n    ", "\n\n\b\n    ")
app = typer.Typer(help=_HELP, no_args_is_help=True, rich_markup_mode=None)
_errors = Console(stderr=True, highlight=False, emoji=False)
_REPOSITORY = Path(__file__).resolve().parents[1]
#: Holds an `aws` that talks to what AWS_ENDPOINT_URL names, whichever version is installed.
_COMMANDS = _REPOSITORY / "local" / "bin"
#: Wider than any table: rich takes 80 columns for granted where there is no terminal.
_LOG_WIDTH = 1000
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@app.command()
def start(
    port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, help="Port; default: the last one, else 4566, else any free one."
        ),
    ] = None,
) -> None:
    """Start the embedded AWS unless it runs, and print its address when it answers."""
    try:
        state = lifetime.start(lifetime.state_directory(), port)
    except lifetime.StartError as error:
        raise _failed(str(error)) from error
    typer.echo(state.endpoint)


@app.command()
def stop() -> None:
    """End the embedded AWS and every process that it started, by their records; nothing else.

    Containers get SIGTERM and at most 20 s, however long their own stop time-out is; then SIGKILL.
    A worker that was in the middle of a job leaves it to its queue.
    """
    stopped = lifetime.stop_all(lifetime.state_directory())
    names = ", ".join(one.name for one in stopped)
    typer.echo(f"stopped: {names}" if stopped else "nothing was running")


@app.command()
def env(as_json: Json = False) -> None:
    """Print export lines with which aws, cdk, boto3 and psql use the running AWS."""
    found = environment.variables(_running().endpoint)
    if as_json:
        path = f"{_COMMANDS}{os.pathsep}{os.environ['PATH']}"
        typer.echo(json.dumps({**found, "PATH": path}, indent=1))
        return
    for name, value in found.items():
        typer.echo(f"export {name}={shlex.quote(value)}")
    typer.echo(f'export PATH={shlex.quote(str(_COMMANDS))}:"$PATH"')


@app.command()
def images() -> None:
    """Build the images of worker_images/ without a container engine, and print their one tag."""
    try:
        typer.echo(build_images(_REPOSITORY, lifetime.state_directory()))
    except DockerfileError as error:
        raise _failed(str(error)) from error


@app.command()
def status(as_json: Json = False) -> None:
    """Show the processes that run, with their logs."""
    state_dir = lifetime.state_directory()
    state = lifetime.load(state_dir)
    running = bool(state and state.running)
    processes = [one for one, _ in recorded(state_dir) if is_running(one)] if running else []
    found: dict[str, Any] = {
        "running": running,
        "endpoint": state.endpoint if state and running else None,
        "directory": str(state_dir),
        "processes": [_described(one, state_dir) for one in processes],
    }
    if as_json:
        typer.echo(json.dumps(found, indent=1))
        return
    console = _console()
    console.print(f"embedded AWS: {found['endpoint'] or 'not running'}", highlight=False)
    if processes:
        table = Table("process", "pid", Column("log", overflow="fold"))
        for row in found["processes"]:
            table.add_row(row["name"], str(row["pid"]), row["log"])
        console.print(table)


@app.command(hidden=True)
def serve(state_dir: Path, port: int) -> None:
    """Be the embedded AWS, in the foreground."""
    from local.daemon import serve as run  # noqa: PLC0415 (a second of imports, for this alone)

    run(state_dir, port)


def _console() -> Console:
    """A console that wraps at a terminal's width, and nowhere in a log or a pipe."""
    made = Console(emoji=False)
    return made if made.is_terminal else Console(width=_LOG_WIDTH, emoji=False)


def _described(one: Record, state_dir: Path) -> dict[str, Any]:
    kind, _, name = one.name.partition(" ")
    log = state_dir / "log" / f"{kind}-{name}.log"
    if kind == "instance":
        home = InstanceHome(state_dir / "instances" / name)
        log = home.boot_log if home.boot_log.exists() else home.log / "host.log"
    return {"name": one.name, "pid": one.pid, "log": str(log)}


def _running() -> lifetime.State:
    state = lifetime.load(lifetime.state_directory())
    if state is None or not state.running:
        raise _failed("the embedded AWS does not run; start it: python -m local start")
    return state


def _failed(message: str) -> typer.Exit:
    _errors.print(message, markup=False, soft_wrap=True)
    return typer.Exit(1)
