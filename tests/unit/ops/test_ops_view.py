"""What is shown stays whole where there is no terminal, and is never taken for markup."""

from __future__ import annotations

import pytest
from rich.table import Table

from ops import view

LONG = "academy-local-" + "x" * 300


def test_no_line_is_wrapped_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    console = view.console()
    console.print(f"a {LONG} line")
    table = Table("name")
    table.add_row(LONG)
    console.print(table)
    said = capsys.readouterr().out
    assert f"a {LONG} line\n" in said
    assert f"│ {LONG} │" in said


def test_a_name_in_a_title_is_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    with view.step(view.console(), "encode [bold]1[/] [/x].mp4") as say:
        say("[/]: done")
    said = capsys.readouterr().out
    assert "encode [bold]1[/] [/x].mp4\n" in said
    assert "[/]: done" in said


def test_an_arn_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    arn = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:key-AbCdEf"
    view.console().print(arn, markup=False, highlight=False)
    assert capsys.readouterr().out == f"{arn}\n"
