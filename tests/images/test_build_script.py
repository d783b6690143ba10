"""`worker_images/build.sh`: the documented order, and a reason whenever it stops."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from config.contracts.names import IMAGES
from tests.conftest import ROOT

#: Notes what it is asked; without `base` there is no base, with FAIL a build fails.
CLIENT = """#!/bin/bash
echo "$*" >>"$CALLS"
case "$*" in
  "image inspect"*) [ -n "$HAS_BASE" ] || grep -q -- "--tag academy-base" "$CALLS" ;;
  *"--tag $FAIL:"*) cat >/dev/null; exit 1 ;;
  "build "*) tar --list >>"$CALLS" ;;
esac
"""


def build(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the script with a stand-in for Docker's client."""
    client = folder / "docker"
    client.write_text(CLIENT)
    client.chmod(0o755)
    (folder / "calls").touch()
    path = f"{folder}:{os.environ['PATH']}"
    given = {"CALLS": str(folder / "calls"), "HAS_BASE": "", "FAIL": "nothing", **environ}
    return subprocess.run(
        [ROOT / "worker_images" / "build.sh", *arguments],
        env={**os.environ, "PATH": path, **given},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def built(folder: Path) -> list[str]:
    """Return the images that were asked for, in their order."""
    calls = (folder / "calls").read_text().split("\n")
    return [call.split("--tag ")[1].split()[0] for call in calls if call.startswith("build ")]


def test_all_are_built_in_the_documented_order(tmp_path: Path) -> None:
    done = build(tmp_path, "--tag", "t")
    assert done.returncode == 0, done.stderr
    assert built(tmp_path) == [f"{name}:t" for name in IMAGES.values()]


def test_the_workflow_builds_the_same_in_the_same_order() -> None:
    flow = (ROOT / ".github" / "workflows" / "images.yml").read_text("utf-8")
    found = re.findall(r"\b([a-z]+):(academy-[a-z-]+)", flow)
    assert found == list(IMAGES.items())
    assert "--platform linux/arm64,linux/amd64" in flow


def test_without_the_base_an_image_is_refused_with_the_reason(tmp_path: Path) -> None:
    done = build(tmp_path, "--tag", "t", "video")
    assert done.returncode == 3
    assert "academy-base:t is missing, and academy-video-worker is built on it" in done.stderr
    assert built(tmp_path) == []


def test_one_image_alone_is_built_on_the_base_that_is_there(tmp_path: Path) -> None:
    assert build(tmp_path, "--tag", "t", "ai", HAS_BASE="yes").returncode == 0
    assert built(tmp_path) == ["academy-ai-worker:t"]


def test_it_stops_at_the_first_that_fails(tmp_path: Path) -> None:
    done = build(tmp_path, "--tag", "t", FAIL="academy-api")
    assert (done.returncode, "academy-api:t was not built" in done.stderr) == (1, True)
    assert built(tmp_path) == ["academy-base:t", "academy-api:t"]


def test_a_build_is_given_what_it_copies_and_nothing_else_of_this_folder(tmp_path: Path) -> None:
    build(tmp_path, "--tag", "t")
    sent = (tmp_path / "calls").read_text().splitlines()
    assert "config/contracts/names.py" in sent
    roots = {line.partition("/")[0] for line in sent if "/" in line and " " not in line}
    assert roots == {"config", "worker_images", "node_modules"}
    assert not [line for line in sent if "__pycache__" in line]


@pytest.mark.parametrize("wrong", [["robot"], ["--tag"], ["--push"]])
def test_wrong_usage_is_told(tmp_path: Path, wrong: list[str]) -> None:
    done = build(tmp_path, *wrong)
    assert done.returncode == 2
    assert done.stderr.startswith("build.sh: ") or "usage:" in done.stderr


def test_help_names_every_image_and_exit_code(tmp_path: Path) -> None:
    done = build(tmp_path, "--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in IMAGES.values())
    assert "3 something that a build needs is missing" in done.stdout
