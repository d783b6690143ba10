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
from ops import deploying, lecture, places, status, timeline
from ops import up as ups
from ops.diagram import draw
from ops.errors import OperatorError
from ops.view import console as make_console

app = typer.Typer(name="academy", no_args_is_help=True, pretty_exceptions_enable=False)

Environment = Annotated[str, typer.Argument(help="local, dev, staging or prod")]
ImageTag = Annotated[str, typer.Option(help="the commit (locally the hash) of the images")]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]
Tenant = Annotated[int, typer.Option(min=1, help="whose staff to act as")]
Output = Annotated[Path | None, typer.Option(help="where the assembly goes")]
INTERRUPTED = 130


@app.command()
def up(
    image_tag: ImageTag,
    video: Annotated[Path | None, typer.Argument(help="a lecture video")] = None,
    tenant: Tenant = 1,
) -> None:
    """Deploy everything to the embedded AWS and carry a lecture video through the line."""
    ups.up(image_tag, video, make_console(), tenant_id=tenant)


@app.command()
def synth(environment: Environment, image_tag: ImageTag, output: Output = None) -> None:
    """Write an environment's templates to cdk.out/<environment>."""
    load_settings(environment)
    target = output.absolute() if output else places.assembly(environment)
    fresh = deploying.synthesize(environment, image_tag, target)
    typer.echo(f"{environment}: {'written' if fresh else 'unchanged'}")


@app.command()
def diff(environment: Environment, image_tag: ImageTag) -> None:
    """Print what a deploy would change; exit 1 when there is anything."""
    load_settings(environment)
    assembly = places.assembly(environment)
    deploying.synthesize(environment, image_tag, assembly)
    if deploying.diff(assembly, make_console()):
        raise typer.Exit(1)


@app.command()
def deploy(environment: Environment, image_tag: ImageTag) -> None:
    """Synthesize and deploy all stacks of an environment."""
    load_settings(environment)
    assembly = places.assembly(environment)
    deploying.synthesize(environment, image_tag, assembly)
    for stack in deploying.deploy(environment, assembly, make_console()):
        typer.echo(f"{stack.name}: {stack.state}")


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
        app()
    except SystemExit as left:
        # Typer makes this exit of an interrupt.
        if left.code == INTERRUPTED:
            errors.print("interrupted; what runs goes on. `make down` stops the local platform")
        raise
    except OperatorError as error:
        errors.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        _where_to_look(error, errors)
        sys.exit(1)
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
