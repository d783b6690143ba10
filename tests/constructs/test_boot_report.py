"""What is told of a boot: the part of the boot script that is a program of its own."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.contracts.boot_records import decode_boot
from stacks.constructs import boot_report
from stacks.constructs.boot_report import REASON_LENGTH, hide, reason_of, record

FACTS = ["Academy/Workers", '{"WorkerType": "Video"}', "failed", "i-1", "pull", "start=0.1 pull=2"]


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        ("", ""),
        ("2026-01-05T09:00:00Z step=pull docker_s=1.000\n", ""),
        ("one\ntwo\n\n", "two"),
        (
            "denied: no such host\n2026-01-05T09:00:00Z step=pull failed exit=1 line=9\n",
            "denied: no such host",
        ),
        ("hung: too long\n/part-001: line 96:  4711 Killed   docker pull x\n", "hung: too long"),
        ('refused\n{\n    "x": [\n', '"x": ['),
        ("no space left\n{\n}\n", "no space left"),
        ("docker: bad\n\nRun 'docker run --help' for more information\n", "docker: bad"),
        ("a\tb\x1b[31mc\u2028d\n", "d"),
        ("내용이 없습니다\n", "내용이 없습니다"),
        ("x" * 1000, "x" * REASON_LENGTH),
    ],
)
def test_the_reason_is_the_last_line_that_says_something(log: str, reason: str) -> None:
    assert reason_of(log) == reason


@given(st.text())
def test_whatever_was_logged_the_record_is_one_line_that_the_controller_reads(log: str) -> None:
    line = record([*FACTS, "2026-01-05T09:00:00Z"], log, 1767603630.5)
    assert len(line.splitlines()) == 1
    found = decode_boot(line)
    assert (found.failed, found.step, found.seconds) == (True, "pull", 30.5)
    assert len(found.reason) <= REASON_LENGTH
    assert found.reason.isprintable()


def test_seconds_are_those_of_the_steps_where_the_launch_is_not_known() -> None:
    line = json.loads(record([*FACTS, ""], "", 0.0))
    assert line["steps"] == {"start": 0.1, "pull": 2.0}
    assert line["BootSeconds"] == 2.1


def test_a_clock_that_lags_behind_takes_no_time_away() -> None:
    line = json.loads(record([*FACTS, "2026-01-05T09:00:00Z"], "", 1767603599.0))
    assert line["steps"]["launch"] == 0.0


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("password=open-sesame!", "password=(hidden)!"),
        ("open-sesame-mucho open-sesame", "(hidden) (hidden)"),
        ("host db.example.com", "host db.example.com"),
        ("pin 12345", "pin 12345"),
    ],
)
def test_the_values_of_secret_variables_are_hidden(text: str, hidden: str, tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("A=open-sesame\nB=open-sesame-mucho\nHOST=db.example.com\nPIN=12345\nEMPTY=\n")
    assert hide(text, file, ["A", "B", "PIN", "EMPTY", "ABSENT"]) == hidden


def test_without_an_environment_file_there_is_nothing_to_hide(tmp_path: Path) -> None:
    assert hide("text", tmp_path / "none", ["A"]) == "text"


def test_it_speaks_the_python_of_amazon_linux() -> None:
    """3.9: https://docs.aws.amazon.com/linux/al2023/ug/python.html"""
    ast.parse(Path(boot_report.__file__).read_text("utf-8"), feature_version=(3, 9))
