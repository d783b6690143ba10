"""The commands that change what runs, and those that show it: synth, diff, deploy, rollback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from config.settings import load_settings
from ops import deploying, places
from ops.delivery import pull_request
from ops.delivery.carrying_out import Outcome
from ops.delivery.deploy import deploy as deliver
from ops.delivery.rollback import rollback as roll_back
from ops.environments import reachable
from ops.errors import UsageError
from ops.releases import view
from ops.releases.assemblies import Assembly
from ops.releases.origin import head
from ops.releases.store import recorded
from ops.view import console as make_console

Environment = Annotated[str, typer.Argument(help="local, dev, staging or prod")]
ImageTag = Annotated[str, typer.Option(help="the commit (locally the hash) of the images")]
MaybeTag = Annotated[str, typer.Option("--image-tag", help="synthesize with images of this commit")]
Saved = Annotated[Path | None, typer.Option("--assembly", help="or take this saved assembly")]
Role = Annotated[str | None, typer.Option("--stack", help="one stack alone: api, video, ...")]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]


def synth(
    environment: Environment,
    image_tag: ImageTag,
    output: Annotated[Path | None, typer.Option(help="where the assembly goes")] = None,
) -> None:
    """Write an environment's templates to cdk.out/<environment>."""
    load_settings(environment)
    target = output.absolute() if output else places.assembly(environment)
    fresh = deploying.synthesize(environment, image_tag, target)
    typer.echo(f"{environment}: {'written' if fresh else 'unchanged'}")


def diff(
    environment: Environment,
    image_tag: MaybeTag = "",
    assembly: Saved = None,
    markdown: Annotated[Path | None, typer.Option(help="write it for a pull request")] = None,
) -> None:
    """Print what a deploy would change; exit 1 when there is anything, unless it is written."""
    settings = reachable(environment)
    wanted = _assembly(environment, image_tag, assembly)
    if markdown:
        markdown.write_text(pull_request.summary(settings, Assembly(wanted)), "utf-8")
    elif deploying.diff(wanted, make_console()):
        raise typer.Exit(1)


def deploy(
    environment: Environment,
    image_tag: MaybeTag = "",
    assembly: Saved = None,
    stack: Role = None,
    accept: Annotated[
        list[str] | None, typer.Option(help="a resource with data, by logical id, to be lost")
    ] = None,
) -> None:
    """Check, deploy, verify and record an environment, or one stack of it.

    Checked first: settings, cdk-nag, cfn-lint of what changes, and that no data is lost.
    """
    settings, console = reachable(environment), make_console()
    if environment != "local" and image_tag and assembly is None:
        require_checked_out(image_tag)
    wanted = _assembly(environment, image_tag, assembly)
    end(deliver(settings, wanted, console, role=stack, accepted=accept or ()), console)


def releases(environment: Environment, as_json: Json = False) -> None:
    """List the recorded releases of an environment."""
    found = recorded(reachable(environment))
    if as_json:
        typer.echo(json.dumps(view.rows_json(found), ensure_ascii=False))
    else:
        view.show(environment, found, make_console())


def rollback(
    environment: Environment,
    to: Annotated[int | None, typer.Option(min=1, help="a release; else the one before")] = None,
    stack: Role = None,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Say what would change, ask, then bring a recorded release back."""
    settings, console = reachable(environment), make_console()
    end(roll_back(settings, console, to=to, role=stack, yes=yes), console)


def end(outcome: Outcome, console: Console) -> None:
    """Print which release is current now; exit 1 when what runs is not as it should be."""
    release = outcome.release
    if outcome.is_new:
        said = f"release {release.number} is recorded"
    elif outcome.changed:
        said = f"release {release.number} is restored: {', '.join(outcome.changed)}"
    else:
        said = f"nothing changed: release {release.number} stays the current one"
    console.print(said, highlight=False)
    if not release.verified:
        console.print("it is not verified, see above", style="red")
        raise typer.Exit(1)


def require_checked_out(image_tag: str) -> None:
    """Raises: UsageError for images of another commit than the templates and migrations here."""
    commit = head(places.ROOT)
    if commit and not commit.startswith(image_tag):
        raise UsageError(
            f"image_tag: {image_tag!r} is not allowed; allowed: the commit that is checked out, "
            f"{commit[:12]} (its templates and migrations belong to its images)"
        )


def _assembly(environment: str, image_tag: str, saved: Path | None) -> Path:
    """Return the saved assembly, or the one synthesized for a tag. Raises: UsageError."""
    if bool(image_tag) == (saved is not None):
        raise UsageError("say which images or which assembly: either --image-tag or --assembly")
    if saved is not None:
        return saved.absolute()
    target = places.assembly(environment)
    deploying.synthesize(environment, image_tag, target)
    return target
