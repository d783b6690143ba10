"""How commands end: exit codes and one message, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ops import cli
from ops.errors import OperatorError

ROOT = Path(__file__).parents[3]


def ended(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["academy", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return caught.value.code


def test_an_operator_error_is_one_message_with_its_hint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    assert ended(monkeypatch, "up", "--image-tag", "x") == 1
    said = capsys.readouterr().err
    assert "AWS_ENDPOINT_URL is not set" in said
    assert "make up" in said
    assert "Traceback" not in said


def test_a_wrong_environment_names_the_allowed_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(monkeypatch, "status", "production") == 2
    assert "dev, local, prod, staging" in capsys.readouterr().err


def test_wrong_usage_exits_2(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ended(monkeypatch, "synth", "local") == 2
    assert ended(monkeypatch, "no-such-command") == 2


def test_an_interrupt_exits_130_and_says_that_things_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.ups, "up", interrupted)
    assert ended(monkeypatch, "up", "--image-tag", "x") == 130
    assert "make down" in capsys.readouterr().err


def test_a_failure_after_the_start_says_where_the_logs_are(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    (tmp_path / "log").mkdir()

    def fails(*_: object, **__: object) -> None:
        raise OperatorError("deploy failed")

    monkeypatch.setenv("ACADEMY_LOCAL_DIR", str(tmp_path))
    monkeypatch.setattr(cli.ups, "up", fails)
    assert ended(monkeypatch, "up", "--image-tag", "x") == 1
    said = capsys.readouterr().err.replace("\n", "")
    assert str(tmp_path) in said


def test_help_lists_every_command_without_colour_when_asked() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ops", "--help"],
        env={**os.environ, "NO_COLOR": "1", "TERM": "xterm"},
        capture_output=True,
        text=True,
        check=True,
    )
    for command in ("up", "synth", "diff", "deploy", "releases", "rollback", "lecture", "status"):
        assert command in done.stdout
    assert "\x1b[3" not in done.stdout


def test_the_command_works_through_a_link_from_any_directory(tmp_path: Path) -> None:
    (tmp_path / "academy").symlink_to(ROOT / "ops" / "bin" / "academy")
    done = subprocess.run(
        ["./academy", "rollback", "--help"],
        cwd=tmp_path,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Usage: academy rollback" in done.stdout
