"""Policies side by side, as they are printed, documented and read by programs."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from ops.simulate.summary import Summary
from ops.simulate.table import facts, markdown, table

OURS = Summary(
    policy="exact",
    jobs=2800,
    p50_s=63.4,
    p95_s=169.2,
    p99_s=182.6,
    cost=1.0349,
    hours_a_day=99.5,
    usd_a_day=7.126,
    busy_kills_a_day=0.0,
    rework_hours_a_day=0.0,
    spot_losses_a_day=0.0,
    peak=24,
    dead=0,
    unstarted=0,
)
UNPROTECTED = replace(
    OURS,
    policy="target-tracking",
    p99_s=31_938.4,
    busy_kills_a_day=316.44,
    rework_hours_a_day=0.04,
    dead=512,
    unstarted=1,
)


def printed(width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(table([OURS, UNPROTECTED], "prod video [week]"))
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_a_document_has_a_row_for_each_policy_in_the_order_given() -> None:
    headings, rule, ours, unprotected = markdown([OURS, UNPROTECTED]).split("\n")
    assert len(cells(headings)) == len(cells(rule)) == len(cells(ours))
    assert set(rule) <= set("|-: ")
    assert cells(ours) == ["exact", "63", "169", "183", "1.03", "7.13", "0", "0", "0", "0", "24"]
    assert cells(unprotected)[3] == "31,938"


def test_what_an_unprotected_fleet_loses_is_told() -> None:
    told = dict(zip(*map(cells, markdown([UNPROTECTED]).split("\n")[::2]), strict=True))
    assert told["kills /day"] == "316.4"
    assert told["DLQ %"] == "18.3"


@pytest.mark.parametrize(("count", "shown"), [(0.0, "0"), (0.04, "<0.1"), (0.1, "0.1"), (12, "12")])
def test_little_is_not_told_as_nothing(count: float, shown: str) -> None:
    found = markdown([replace(OURS, busy_kills_a_day=count)]).split("\n")[2]
    assert cells(found)[6].removesuffix(".0") == shown


def test_a_terminal_shows_what_the_document_does() -> None:
    wide = printed(300)
    assert "prod video [week]" in wide
    row = next(line for line in wide.splitlines() if "exact" in line)
    assert row.split() == cells(markdown([OURS]).split("\n")[2])


def test_nothing_is_cut_at_a_narrow_terminal() -> None:
    narrow = printed(80)
    assert "31,938" in narrow
    assert "316.4" in narrow
    assert "…" not in narrow


def test_programs_get_every_field_unrounded() -> None:
    [found] = json.loads(json.dumps(facts([OURS])))
    assert (found["policy"], found["cost"], found["p95_s"]) == ("exact", 1.0349, 169.2)
    assert Summary(**found) == OURS


def test_a_week_without_a_job_has_no_share() -> None:
    assert cells(markdown([replace(OURS, jobs=0)]).split("\n")[2])[8] == "0"
