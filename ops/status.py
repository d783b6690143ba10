"""`status`: stacks, queues, fleets and jobs of an environment."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from config.settings import Settings
from ops import facts
from ops.api import Api
from ops.errors import OperatorError
from ops.operator_access import load_access

_PREFIX = "academy_"
_REQUESTS = "academy_api_"


def gather(settings: Settings) -> dict[str, Any]:
    """Return everything as JSON would hold it. An API that does not answer is said, not fatal."""
    fleets = [facts.fleet(settings, kind) for kind in settings.workers]
    return {
        "environment": settings.environment,
        "stacks": [asdict(stack) for stack in facts.stacks(settings)],
        "queues": [asdict(queue) for queue in facts.queues(settings)],
        "fleets": [asdict(fleet) for fleet in fleets if fleet],
        "jobs": _jobs(settings),
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
    console.print(_table("stacks", found["stacks"]))
    console.print(_table("queues", found["queues"]))
    fleets = [{**each, "instances": _states(each["instances"])} for each in found["fleets"]]
    console.print(_table("fleets", fleets))
    console.print(_table("jobs", [found["jobs"]]))


def _jobs(settings: Settings) -> dict[str, Any]:
    try:
        return dict(gauges(Api(load_access(settings), tenant_id=1).metrics()))
    except OperatorError as error:
        return {"error": str(error)}


def _states(instances: dict[str, str]) -> str:
    return ", ".join(f"{name} {state}" for name, state in sorted(instances.items()))


def _table(title: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(title=title, title_justify="left")
    for name in rows[0] if rows else ("none",):
        table.add_column(name.replace("_", " "))
    for row in rows:
        table.add_row(
            *(f"{value:g}" if isinstance(value, float) else str(value) for value in row.values())
        )
    return table
