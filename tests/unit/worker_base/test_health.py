"""The health check fails when the worker stops turning."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from worker_images.base.health import alive_path, is_alive, main


def test_a_worker_that_stopped_touching_its_file_is_unhealthy(tmp_path: Path) -> None:
    path = tmp_path / "alive"
    assert not is_alive(path, now=1000, max_age_s=30)
    path.touch()
    os.utime(path, (1000, 1000))
    assert is_alive(path, now=1030, max_age_s=30)
    assert not is_alive(path, now=1031, max_age_s=30)


def test_the_check_exits_by_what_it_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("VISIBILITY_TIMEOUT_S", "300")
    assert main() == 1
    alive_path().touch()
    assert main() == 0
