"""The runbook in two languages: one set of commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runbook import RUNBOOKS, Block, blocks


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.name)
def test_every_command_says_where_it_runs(path: Path) -> None:
    found = blocks(path)
    assert {block.marked for block in found} == {"local", "account"}


def test_both_languages_hold_the_same_commands() -> None:
    english, korean = (blocks(path) for path in RUNBOOKS)
    assert english == korean


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.name)
def test_a_command_that_runs_locally_has_no_gap_to_fill(path: Path) -> None:
    assert not [gap for block in blocks(path) for gap in _gaps(block)]


def _gaps(block: Block) -> Iterator[str]:
    if block.marked == "local":
        yield from (line for line in block.text.splitlines() if "<id>" in line or "…" in line)
