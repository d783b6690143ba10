"""`academy simulate`: what it prints, and what it says of a wrong command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from ops import cli
from ops.simulate import scenario
from ops.simulate.policies import POLICIES
from ops.simulate.summary import Summary
from tests.unit.ops.simulate.fleets import fleet


@pytest.fixture(autouse=True)
def without_synth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenario, "fleet_of", lambda environment, kind, users: fleet())


def ended(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["academy", "simulate", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return caught.value.code


def short(tmp_path: Path) -> str:
    path = tmp_path / "trace.csv"
    path.write_text("arrival_s,duration_s\n0,600\n30,60\n", "utf-8")
    return str(path)


def test_a_replayed_trace_is_printed_as_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    arguments = ("prod", "--trace", short(tmp_path), "--seeds", "1", "--json")
    assert not ended(monkeypatch, *arguments)
    found = json.loads(capsys.readouterr().out)
    (ours,) = found["policies"]
    assert set(ours) == set(Summary.__dataclass_fields__)
    assert (ours["policy"], ours["jobs"], ours["busy_kills_a_day"]) == ("exact", 2, 0)
    assert found["fleet"]["rules"]["boot_s"] == 150


def test_the_table_names_environment_and_jobs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert not ended(monkeypatch, "prod", "--trace", short(tmp_path), "--seeds", "1")
    said = capsys.readouterr().out
    assert "prod video, 2 jobs in 1 x 1 days" in said
    assert "exact" in said and "\x1b" not in said


def test_a_warm_pool_and_weather_can_be_tried(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tried = ("--warm-pool", "2", "--failed-boots", "0.25", "--refused", "0.1", "--spot-losses", "1")
    arguments = ("prod", "--trace", short(tmp_path), "--seeds", "1", "--json", *tried)
    assert not ended(monkeypatch, *arguments)
    found = json.loads(capsys.readouterr().out)
    assert found["fleet"]["warm_pool"] == {"minimum": 2, "prepared": 2, "reuse": False}
    weather = found["weather"]
    assert (weather["failed_boots"], weather["refused"]) == (0.25, 0.1)
    assert weather["spot_losses_an_hour"] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("prod", "--policy", "magic"), "--policy is 'magic'; there are exact"),
        (("prod", "--kind", "render"), "--kind is 'render'; prod has video"),
        (("prod", "--users", "5", "--trace", "x.csv"), "give one of them"),
        (("prod", "--trace", "none.csv"), "none.csv"),
        (("prod", "--plot", "week.gif"), "must end with .png"),
        (("prod", "--seeds", "0"), "--seeds"),
        (("nowhere",), "nowhere"),
    ],
)
def test_a_wrong_command_line_is_one_message(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    assert ended(monkeypatch, *arguments) == 2
    assert said in capsys.readouterr().err


def test_help_teaches(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert not ended(monkeypatch, "--help")
    said = capsys.readouterr().out
    assert "academy simulate prod --warm-pool 8" in said
    assert all(name in said for name in POLICIES)


def test_users_are_lectures_one_in_twenty_five() -> None:
    assert scenario.draw("video", 500, 7).jobs_a_day == 20
    assert scenario.draw("video", 10000, 7).jobs_a_day == 400
    assert scenario.draw("video", 250, 7).jobs_a_day == pytest.approx(10)
    assert scenario.draw("messaging", 1000, 7).jobs_a_day == pytest.approx(3000)
