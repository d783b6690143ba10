"""The fault run in small: real servers, real workers, killed and cut off; what must hold, holds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.faults.plan import OUTAGES, mix

pytestmark = [pytest.mark.server, pytest.mark.end_to_end, pytest.mark.timeout(600)]
ROOT = Path(__file__).parents[2]
JOBS = 40


def test_every_job_ends_once_and_nothing_happens_twice(tmp_path: Path) -> None:
    report = tmp_path / "report.md"
    command = [sys.executable, "-m", "benchmarks.faults", "--jobs", str(JOBS), "--json"]
    ended = subprocess.run(
        [*command, "--report", str(report)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.stdout, ended.stderr[-4000:]
    found = json.loads(ended.stdout)
    broken = [check for check in found["checks"] if not check["holds"]]
    assert (ended.returncode, broken) == (0, []), ended.stderr[-4000:]
    assert {fault.value for fault in OUTAGES} <= set(found["faults"])
    assert found["torment"]["kills"] == mix(JOBS).kills
    assert "**BROKEN**" not in report.read_text("utf-8")
