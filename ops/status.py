"""`status`: stacks, queues, fleets, jobs and the published backlog of an environment."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from config.contracts import metrics
from config.settings import Settings
from ops import facts
from ops.api import Api
from ops.errors import OperatorError
from ops.operator_access import load_access

_PREFIX = "academy_"
_REQUESTS = "academy_api_"


def gather(settings: Settings) -> dict[str, Any]:
    """Return everything as JSON would hold it. An API that does not answer is said, not fatal.

    `metric` is the BacklogCount published last and its age in seconds, null when there is none
    of late.
    """
    fleets = [facts.fleet(settings, kind) for kind in settings.workers]
    return {
        "environment": settings.environment,
        "stacks": [asdict(stack) for stack in facts.stacks(settings)],
        "queues": [asdict(queue) for queue in facts.queues(settings)],
        "fleets": [asdict(fleet) for fleet in fleets if fleet],
        "jobs": _jobs(settings),
        "metric": _metric(settings, datetime.now(UTC)),
    }


def gauges(exposition: str) -> dict[str, float]:
    """Return the gauges of the job table in a Prometheus text, without their prefix."""
    found = {}
    for line in exposition.splitlines():
        name, _, value = line.partition(" ")
        if name.startswith(_PREFIX) and not name.startswith(_REQUESTS) and "{" not in name:
            found[name.removeprefix(_PREFIX)] = float(value)
    return found


def show(found: dict[str, Any], console: Console) -> None:
    """Print what was gathered as tables."""
    if not found["stacks"]:
        console.print(f"nothing of '{found['environment']}' is deployed here")
        return
    console.print(_table("stacks (times in UTC)", found["stacks"]))
    console.print(_table("queues", found["queues"]))
    console.print(_table("fleets", [_fleet(each) for each in found["fleets"]]))
    jobs = {_name(name): _text(value) for name, value in found["jobs"].items()}
    console.print(_facts("jobs", {**jobs, metrics.BACKLOG_COUNT: _published(found["metric"])}))


def _jobs(settings: Settings) -> dict[str, Any]:
    try:
        return dict(gauges(Api(load_access(settings), tenant_id=1).metrics()))
    except OperatorError as error:
        return {"error": str(error)}


def _metric(settings: Settings, now: datetime) -> dict[str, float] | None:
    last = facts.backlog(settings, now)
    if last is None:
        return None
    return {"value": last.value, "age_s": max(0.0, now.timestamp() - last.at_s)}


def _published(metric: dict[str, float] | None) -> str:
    if metric is None:
        return f"[red]nothing published in the last {facts.BACKLOG_WINDOW_S} s[/]"
    return f"{metric['value']:g}, published {metric['age_s']:.0f} s ago"


def _fleet(fleet: dict[str, Any]) -> dict[str, Any]:
    instances = sorted(fleet["instances"].items())
    return {
        "name": fleet["name"],
        "desired": fleet["desired"],
        "min": fleet["minimum"],
        "max": fleet["maximum"],
        "instances": "\n".join(f"{name} {state}" for name, state in instances) or "none",
    }


def _name(key: str) -> str:
    return key.replace("_", " ")


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else escape(str(value))


def _facts(title: str, values: dict[str, str]) -> Table:
    """Return a table of one fact a line, whose values may be marked up."""
    table = Table(
        title=title, title_justify="left", box=box.SIMPLE, pad_edge=False, show_header=False
    )
    for name, value in values.items():
        table.add_row(name, value)
    return table


def _table(title: str, rows: list[dict[str, Any]]) -> Table:
    """Return a table of one thing a line; where room is short the last column folds."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    columns = rows[0] if rows else {"none": ""}
    for name, value in columns.items():
        number = isinstance(value, int | float)
        table.add_column(
            _name(name),
            justify="right" if number else "left",
            overflow="fold",
            no_wrap=name != list(columns)[-1],
        )
    for row in rows:
        table.add_row(*map(_text, row.values()))
    return table
