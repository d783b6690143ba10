"""An instance's systemctl: a service runs, comes again when it ends, and goes with its instance."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.local.waiting import until


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "log").mkdir()
    return tmp_path


def systemctl(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local.hosts.systemctl", str(home), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def unit(home: Path, *, restart: str) -> Path:
    """Write a service that notes each of its starts, with its own process and its parent's."""
    script = home / "script.sh"
    script.write_text(f'echo "$$ $PPID" >>{home}/starts\nexit 3\n')
    file = home / "noting.service"
    file.write_text(
        "[Unit]\nDescription=Notes 100% of its starts\n"
        f"[Service]\nExecStart=/bin/bash {script}\nRestart={restart}\nRestartSec=0.05\n"
    )
    return file


def starts(home: Path) -> list[list[int]]:
    path = home / "starts"
    lines = path.read_text().splitlines() if path.exists() else []
    return [[int(number) for number in line.split()] for line in lines]


def test_a_service_that_ends_is_started_again(home: Path) -> None:
    assert systemctl(home, "enable", "--now", str(unit(home, restart="always"))).returncode == 0
    until(lambda: len(starts(home)) >= 3)
    keeper = psutil.Process(starts(home)[-1][1])
    keeper.kill()
    until(lambda: not keeper.is_running() or keeper.status() == psutil.STATUS_ZOMBIE)
    assert "exit code 3" in (home / "log/noting.log").read_text()


def test_a_service_without_restart_runs_once(home: Path) -> None:
    systemctl(home, "enable", "--now", str(unit(home, restart="no")))
    until(lambda: "exit code 3" in (home / "log/noting.log").read_text())
    assert len(starts(home)) == 1


def test_the_engine_runs_already_and_anything_else_is_refused_by_name(home: Path) -> None:
    assert systemctl(home, "enable", "--now", "docker").returncode == 0
    for words, named in (
        (("enable", "--now", "/nowhere/at-all.service"), "/nowhere/at-all.service"),
        (("enable", "--now", "sshd"), "sshd"),
        (("mask", "docker"), "mask docker"),
    ):
        refused = systemctl(home, *words)
        assert refused.returncode == 1
        assert named in refused.stderr
