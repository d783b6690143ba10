"""`academy simulate`: a fleet's week before it is deployed."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from ops.errors import UsageError
from ops.release_commands import Environment, Json
from ops.simulate.batch import Run, Scenario, run_all
from ops.simulate.fleet import Weather
from ops.simulate.policies import POLICIES
from ops.simulate.scenario import Asked, scenario
from ops.simulate.summary import Summary, summarize
from ops.simulate.table import facts, table
from ops.view import console as make_console
from ops.view import live

ALL = "all"
#: Policies beside each other in a picture.
DRAWN = 2
#: A log hears nothing of runs that are over sooner.
_QUIET_S = 5.0
_WHAT_IF = "What if"
Policies = Annotated[list[str] | None, typer.Option(help=f"{', '.join(POLICIES)}, or {ALL}")]


def simulate(
    environment: Environment,
    *,
    kind: Annotated[str, typer.Option(help="video, ai or messaging")] = "video",
    users: Annotated[
        int | None, typer.Option(min=1, help="users a day: one in 25 uploads a lecture")
    ] = None,
    trace: Annotated[
        Path | None, typer.Option(help="replay a CSV of arrival_s,duration_s: `academy trace`")
    ] = None,
    policy: Policies = None,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="so many weeks are drawn")] = 5,
    days: Annotated[int, typer.Option(min=1, max=366, help="so long is each, from Monday")] = 7,
    as_json: Json = False,
    plot: Annotated[Path | None, typer.Option(help="draw the first week as PNG")] = None,
    warm_pool: Annotated[
        int | None,
        typer.Option(min=0, max=100, help="so many are kept warm", rich_help_panel=_WHAT_IF),
    ] = None,
    reuse: Annotated[
        bool, typer.Option("--reuse", help="and taken back", rich_help_panel=_WHAT_IF)
    ] = False,
    spot_losses: Annotated[
        float,
        typer.Option(min=0, max=60, help="of an instance an hour", rich_help_panel=_WHAT_IF),
    ] = Weather.spot_losses_an_hour,
    refused: Annotated[
        float,
        typer.Option(min=0, max=0.9, help="share of launches", rich_help_panel=_WHAT_IF),
    ] = Weather.refused,
    failed_boots: Annotated[
        float, typer.Option(min=0, max=1, help="share of boots", rich_help_panel=_WHAT_IF)
    ] = Weather.failed_boots,
) -> None:
    """Simulate weeks of a fleet as its templates describe it, by our rule and others'.

    Waits are from a job's arrival to its first start. Cost is the time that
    instances are paid for, boots included, as a multiple of the least that a
    fleet can cost which knows the future and lets no job wait.

    \b
    academy simulate prod                    prod's own week, our rule
    academy simulate prod --users 10000 --policy all    and others'
    academy simulate prod --warm-pool 8      with instances that stand by
    academy trace prod > week.csv            what really came,
    academy simulate prod --trace week.csv   once more
    """
    if users is not None and trace is not None:
        raise UsageError("--users draws jobs and --trace replays them: give one of them")
    chosen = _chosen(policy or [])
    if plot:
        _check_picture(plot, chosen)
    asked = Asked(
        environment=environment,
        kind=kind,
        users=users,
        trace=trace,
        days=days,
        weather=Weather(
            spot_losses_an_hour=spot_losses, refused=refused, failed_boots=failed_boots
        ),
        warm_pool=warm_pool,
        reuse=reuse,
    )
    found = scenario(asked)
    runs = _run(found, chosen, range(seeds))
    summaries = [summarize(name, runs[name], found.fleet.tariff) for name in chosen]
    if as_json:
        typer.echo(json.dumps(_facts(found, summaries), ensure_ascii=False))
    else:
        each_days = runs[chosen[0]][0].days
        title = f"{environment} {kind}, {summaries[0].jobs} jobs in {seeds} x {each_days:g} days"
        make_console().print(table(summaries, title), highlight=False)
    if plot:
        _draw([runs[name][0] for name in chosen], plot)


def _chosen(names: Sequence[str]) -> list[str]:
    """Return the policies asked for, each once; ours when none is."""
    unknown = [name for name in names if name not in POLICIES and name != ALL]
    if unknown:
        raise UsageError(f"--policy is {unknown[0]!r}; there are {', '.join(POLICIES)}, and {ALL}")
    if ALL in names:
        return list(POLICIES)
    return list(dict.fromkeys(names)) or list(POLICIES)[:1]


def _run(found: Scenario, policies: Sequence[str], seeds: Sequence[int]) -> dict[str, list[Run]]:
    """Return the runs of each policy by seed; how far they are is shown on stderr."""
    runs: dict[str, list[Run]] = defaultdict(list)
    done, began = 0.0, time.monotonic()

    def shown() -> Text:
        return Text(f"simulated {done:.0%} of {len(policies)} x {len(seeds)} runs")

    with live(make_console(stderr=True), shown) as show:

        def told(share: float) -> None:
            nonlocal done
            done = share
            show(
                f"simulated {int(share * 10) * 10} %" if time.monotonic() - began > _QUIET_S else ""
            )

        for run in run_all(found, policies, seeds, told=told):
            runs[run.policy].append(run)
    return {name: sorted(each, key=lambda run: run.seed) for name, each in runs.items()}


def _check_picture(path: Path, chosen: Sequence[str]) -> None:
    if path.suffix != ".png":
        raise UsageError(f"--plot writes PNG: {path} must end with .png")
    if len(chosen) > DRAWN:
        raise UsageError(f"--plot draws {DRAWN} policies side by side at most, not {len(chosen)}")


def _draw(firsts: Sequence[Run], path: Path) -> None:
    from ops.simulate.plot import Drawn, picture  # noqa: PLC0415 - takes a second to load

    picture([Drawn(each.policy, each.result) for each in firsts], path)


def _facts(found: Scenario, summaries: Sequence[Summary]) -> dict[str, Any]:
    """Return what was simulated, and what came of it, unrounded."""
    return {
        "fleet": asdict(found.fleet),
        "weather": asdict(found.weather),
        "policies": facts(summaries),
    }
