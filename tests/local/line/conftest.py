"""One deployed platform for all end-to-end tests of a run; it is stopped by its recorded ids."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.local.line.media import render_clip, repeat_clip
from tests.local.line.platform import UNATTENDED, Platform, environment, run, wait_for


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Start the embedded AWS, build the images, and deploy all stacks with the CDK CLI."""
    state = tmp_path_factory.mktemp("line")
    assembly = state / "cdk.out"
    env = environment(state)
    bare = Platform(state, env, assembly)
    try:
        bare.local("start")
        tag = bare.local("images").stdout.split()[-1]
        addresses = json.loads(bare.local("env", "--json").stdout)
        ready = Platform(state, {**env, **addresses}, assembly)
        ready.ops("synth", "local", "--image-tag", tag, "--output", str(assembly))
        ready.cdk("bootstrap", "--app", str(assembly), "--no-notices")
        ready.cdk("deploy", "--all", "--app", str(assembly), "--concurrency", "6", *UNATTENDED)
        address = json.loads(bare.local("env", "--json").stdout)["API_BASE_URL"]
        wait_for("the API is healthy", lambda: is_healthy(address))
        yield ready
    finally:
        run(sys.executable, "-m", "local", "stop", env=env)


def is_healthy(address: str) -> bool:
    """Whether the API and everything it depends on answers."""
    try:
        return requests.get(f"{address}/health", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lecture of 8 s, 720p30: two segments, the second a short one."""
    return render_clip(tmp_path_factory.mktemp("clips") / "lecture.mp4", seconds=8)


@pytest.fixture(scope="session")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of 6 s that is encoded in about a second."""
    target = tmp_path_factory.mktemp("short") / "short.mp4"
    return render_clip(target, seconds=6, size="640x360")


@pytest.fixture(scope="session")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of 80 s: time enough to find its encoder at work."""
    room = tmp_path_factory.mktemp("long")
    part = render_clip(room / "part.mp4", seconds=8, size="1280x720", crf=40)
    return repeat_clip(part, room / "long.mp4", times=10)
