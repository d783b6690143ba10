"""The commands. Exit codes: 0 done, 1 failed or different, 2 wrong usage, 130 interrupted."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from config.settings import SettingsError, load_settings
from ops import lecture, places, status, timeline
from ops import up as ups
from ops.cost.command import cost
from ops.diagram import draw
from ops.errors import OperatorError
from ops.release_commands import (
    Environment,
    ImageTag,
    Json,
    deploy,
    diff,
    releases,
    rollback,
    synth,
)
from ops.simulate.command import simulate
from ops.simulate.trace_command import trace
from ops.view import console as make_console

app = typer.Typer(name="academy", no_args_is_help=True, pretty_exceptions_enable=False)

Tenant = Annotated[int, typer.Option(min=1, help="whose staff to act as")]
INTERRUPTED = 130

for command in (synth, diff, deploy, releases, rollback, cost, simulate, trace):
    app.command()(command)


@app.command()
def up(
    image_tag: ImageTag,
    video: Annotated[Path | None, typer.Argument(help="a lecture video")] = None,
    tenant: Tenant = 1,
) -> None:
    """Deploy everything to the embedded AWS and carry a lecture video through the line."""
    ups.up(image_tag, video, make_console(), tenant_id=tenant)


@app.command(name="lecture")
def lecture_command(
    video: Annotated[Path | None, typer.Argument(help="a lecture video")] = None,
    environment: Annotated[str, typer.Option(help="local, dev, staging or prod")] = "local",
    tenant: Tenant = 1,
    as_json: Json = False,
) -> None:
    """Upload a lecture video, follow its job, and print where its time went."""
    console = make_console(stderr=as_json)
    settings = load_settings(environment)
    path = video or lecture.default_clip(console)
    ended = lecture.run(settings, path, console, tenant_id=tenant)
    if as_json:
        typer.echo(json.dumps(_lecture_facts(ended), ensure_ascii=False))
        raise typer.Exit(0 if ended.is_ready else 1)
    ups.show_end(ended, console)


@app.command(name="status")
def status_command(environment: Environment = "local", as_json: Json = False) -> None:
    """Show stacks, queues, fleets and jobs."""
    found = status.gather(load_settings(environment))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        status.show(found, make_console())


@app.command()
def diagram(
    templates: Annotated[Path | None, typer.Option(help="an assembly")] = None,
    output: Annotated[Path, typer.Option(help="the picture")] = places.ROOT / "docs" / "line.svg",
    check: Annotated[bool, typer.Option("--check", help="fail when it is out of date")] = False,
) -> None:
    """Draw the line's picture from synthesized templates."""
    drawn = draw(templates or places.assembly("local"))
    if check:
        if not output.is_file() or output.read_text("utf-8") != drawn:
            raise OperatorError(f"{output} is out of date", hint="run `make diagram`")
        return
    output.write_text(drawn, "utf-8")


def main() -> None:
    """Run the CLI; a failure is one message, never a traceback."""
    errors = make_console(stderr=True)
    try:
        app(prog_name="academy")
    except SystemExit as left:
        # Typer makes this exit of an interrupt.
        if left.code == INTERRUPTED:
            errors.print("interrupted; what runs goes on. `make down` stops the local platform")
        raise
    except OperatorError as error:
        errors.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        _where_to_look(error, errors)
        sys.exit(error.exit_code)
    except SettingsError as error:
        errors.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    except (BotoCoreError, ClientError) as error:
        errors.print(f"AWS: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)


def _where_to_look(error: OperatorError, errors: Console) -> None:
    state = places.state_directory()
    if error.hint:
        errors.print(error.hint, markup=False, highlight=False, soft_wrap=True)
    elif (state / "log").is_dir():
        errors.print(f"logs: {state / 'log'} and {state / 'instances'}, then `make status`")


def _lecture_facts(ended: lecture.Lecture) -> dict[str, Any]:
    return {
        "video_id": ended.video_id,
        "progress": ended.progress,
        "hops": [asdict(hop) for hop in timeline.hops(ended.moments)],
        "total_s": timeline.total_s(ended.moments),
    }
