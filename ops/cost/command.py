"""`academy cost`: what an environment costs a month."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from config.settings import load_settings
from ops import deploying, places
from ops.changes import assembly as assemblies
from ops.cost.estimate import estimate
from ops.cost.prices import load_prices
from ops.cost.usage import load_usage
from ops.cost.view import Bill, as_json, markdown, table
from ops.view import console

#: Images do not change the bill; synth wants to know which.
IMAGE_TAG = "estimate"
SIZES = (500, 10000)


def cost(
    environment: Annotated[str, typer.Argument(help="local, dev, staging or prod")],
    users: Annotated[
        int | None, typer.Option(help="users a day: 500 or 10000; prod without it: both")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    markdown_: Annotated[bool, typer.Option("--markdown", help="print Markdown")] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="exit 1 when the platform alone misses its target"),
    ] = False,
) -> None:
    """Estimate what an environment costs a month, item by item, from its templates."""
    bills = [bill(environment, size) for size in _sizes(environment, users)]
    if json_:
        typer.echo(json.dumps([as_json(each) for each in bills], ensure_ascii=False))
    elif markdown_:
        typer.echo("\n".join(markdown(each) for each in bills))
    else:
        shown = console()
        for each in bills:
            shown.print(table(each), highlight=False)
    if check and any(each.estimate.platform_is_above_target for each in bills):
        raise typer.Exit(1)


def bill(environment: str, users_per_day: int) -> Bill:
    """Synthesize an environment at a size, unless that is done already, and estimate its month.

    Raises: OperatorError with what the synth said, or for what has no price.
    """
    assembly = places.ASSEMBLIES / "cost" / f"{environment}-{users_per_day}"
    deploying.synthesize(environment, IMAGE_TAG, assembly, users_per_day=users_per_day)
    usage, prices = load_usage(environment, users_per_day), load_prices()
    made = estimate(assemblies.read(assembly), usage, prices)
    return Bill(environment, users_per_day, made, usage, prices)


def _sizes(environment: str, users: int | None) -> list[int]:
    """Return the sizes asked for: the one given, prod's two, or an environment's own."""
    settings = load_settings(environment, users_per_day=users)
    if users is None and environment == "prod":
        return list(SIZES)
    return [settings.users_per_day]
