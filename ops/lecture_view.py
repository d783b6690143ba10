"""The lecture as an operator sees it: live, and as the timeline at the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table

from ops.timeline import Moments, Snapshot, hops, total_s

_UNKNOWN = "[dim]not known[/]"


def board(seen: Snapshot, latest: Mapping[str, Any], moments: Moments) -> RenderableType:
    """Return the live view of one look."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_row("[bold]video[/]", _status(latest))
    table.add_row("[bold]queue[/]", _queue(seen))
    table.add_row("[bold]BacklogCount[/]", _backlog(seen))
    table.add_row("[bold]fleet[/]", _fleet(seen))
    table.add_row("[bold]elapsed[/]", f"{seen.at_s - moments.began:.0f} s")
    bar = ProgressBar(total=100, completed=float(latest.get("percent") or 0), width=60)
    return Group(table, bar)


def line(seen: Snapshot, latest: Mapping[str, Any]) -> str:
    """Return one look in one line, for a log."""
    queue, fleet = seen.queue, seen.fleet
    parts = [
        f"video={latest.get('status', '?')}",
        f"job={latest.get('job_status', '?')}",
        f"percent={float(latest.get('percent') or 0):.0f}",
        f"step={latest.get('step') or '-'}",
        f"visible={queue.visible} in_flight={queue.in_flight}" if queue else "queue=?",
        f"backlog={seen.backlog.value:.0f}" if seen.backlog else "backlog=?",
        f"desired={fleet.desired} instances={len(fleet.instances)}" if fleet else "fleet=?",
    ]
    return "  " + " ".join(parts)


def timeline(moments: Moments) -> Table:
    """Return the table of the seconds spent in each hop."""
    table = Table(title="where the time went", title_justify="left")
    table.add_column("hop")
    table.add_column("seconds", justify="right")
    for hop in hops(moments):
        seconds = "[dim]not seen[/]" if hop.seconds is None else f"{hop.seconds:.1f}"
        table.add_row(hop.name, seconds)
    table.add_section()
    table.add_row("[bold]total[/]", f"[bold]{total_s(moments):.1f}[/]")
    return table


def _status(latest: Mapping[str, Any]) -> str:
    left = latest.get("seconds_left")
    return "  ".join(
        part
        for part in (
            str(latest.get("status", "")),
            str(latest.get("job_status", "")),
            f"attempt {latest['attempt']}" if latest.get("attempt") else "",
            f"{float(latest.get('percent') or 0):.0f} %",
            str(latest.get("step") or ""),
            f"{float(left):.0f} s left" if left is not None else "",
        )
        if part
    )


def _queue(seen: Snapshot) -> str:
    queue = seen.queue
    if queue is None:
        return _UNKNOWN
    return f"{queue.visible} waiting, {queue.in_flight} in flight, {queue.dead} dead"


def _backlog(seen: Snapshot) -> str:
    if seen.backlog is None:
        return _UNKNOWN
    age_s = max(0.0, seen.at_s - seen.backlog.at_s)
    return f"{seen.backlog.value:.0f}  [dim]published {age_s:.0f} s ago[/]"


def _fleet(seen: Snapshot) -> str:
    fleet = seen.fleet
    if fleet is None:
        return _UNKNOWN
    states = ", ".join(f"{name} {state}" for name, state in sorted(fleet.instances.items()))
    return f"desired {fleet.desired} ({fleet.minimum} to {fleet.maximum})  [dim]{states}[/]"
