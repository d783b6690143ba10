"""Policies side by side: at a terminal, in the docs, and for programs. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from ops.simulate.summary import Summary

#: A heading above its unit -> what is below.
_COLUMNS: tuple[tuple[str, Callable[[Summary], str]], ...] = (
    ("p50\ns", lambda found: f"{found.p50_s:,.0f}"),
    ("p95\ns", lambda found: f"{found.p95_s:,.0f}"),
    ("p99\ns", lambda found: f"{found.p99_s:,.0f}"),
    ("cost\n×", lambda found: f"{found.cost:.2f}"),
    ("$\n/day", lambda found: f"{found.usd_a_day:,.2f}"),
    ("kills\n/day", lambda found: _few(found.busy_kills_a_day)),
    ("redone\nh/day", lambda found: _few(found.rework_hours_a_day)),
    ("DLQ\n%", lambda found: _share(found.dead, found.jobs)),
    ("never\nrun %", lambda found: _share(found.unstarted, found.jobs)),
    ("peak", lambda found: f"{found.peak:,}"),
)
#: What the headings mean; it stands below the table.
LEGEND = (
    "Seconds of wait from arrival to the first start; cost as a multiple of a clairvoyant fleet's;"
    " busy workers killed; hours of work done again; jobs that ended in the dead-letter queue, and"
    " that never started; most instances at once."
)


def table(summaries: Sequence[Summary], title: str) -> Table:
    """Return what is printed; the title is no markup."""
    made = Table(
        title=Text(title, style="bold"),
        title_justify="left",
        caption=LEGEND,
        caption_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    made.add_column("policy", overflow="fold")
    for heading, _ in _COLUMNS:
        made.add_column(heading, justify="right", no_wrap=True)
    for found in summaries:
        made.add_row(found.policy, *_cells(found))
    return made


def markdown(summaries: Sequence[Summary]) -> str:
    """Return the table as it stands in a document, a line each, without a line's end."""
    headings = ["policy", *(heading.replace("\n", " ") for heading, _ in _COLUMNS)]
    rules = ["---", *("---:" for _ in _COLUMNS)]
    rows = [headings, rules, *([found.policy, *_cells(found)] for found in summaries)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def facts(summaries: Sequence[Summary]) -> list[dict[str, Any]]:
    """Return what `--json` prints: every field of each policy, unrounded."""
    return [asdict(found) for found in summaries]


def _cells(found: Summary) -> list[str]:
    return [show(found) for _, show in _COLUMNS]


def _few(count: float) -> str:
    """Return a count of which 0 means none at all."""
    return "0" if not count else "<0.1" if count < 0.1 else f"{count:,.1f}"


def _share(part: int, whole: int) -> str:
    return _few(100 * part / whole) if whole else "0"
