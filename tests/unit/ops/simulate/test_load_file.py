"""Traces that are read: what is wrong is named by file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.errors import UsageError
from ops.simulate.load_file import read_load


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "week.csv"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("header", ["arrival_s,duration_s\n", ""])
def test_jobs_are_read_with_and_without_a_header(tmp_path: Path, header: str) -> None:
    load = read_load(written(tmp_path, f"{header}60,600.5\n\n0,30\n"))
    assert list(load.arrivals_s) == [0, 60]
    assert list(load.durations_s) == [30, 600.5]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("60", "two numbers expected, got '60'"),
        ("60,1,2", "two numbers expected"),
        ("noon,600", "two numbers expected, got 'noon,600'"),
        ("-1,600", "arrival_s must be at least 0"),
        ("60,0", "duration_s above 0"),
        ("nan,600", "arrival_s must be at least 0"),
        ("60,inf", "duration_s above 0"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = written(tmp_path, f"arrival_s,duration_s\n0,30\n{line}\n")
    with pytest.raises(UsageError, match="line 3") as caught:
        read_load(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_an_empty_trace_and_a_missing_one_are_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no job"):
        read_load(written(tmp_path, "arrival_s,duration_s\n"))
    with pytest.raises(UsageError, match=r"none\.csv"):
        read_load(tmp_path / "none.csv")


def test_bytes_that_are_no_text_are_said(tmp_path: Path) -> None:
    path = tmp_path / "week.csv"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"week\.csv"):
        read_load(path)
