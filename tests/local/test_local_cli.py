"""`python -m local` starts one AWS, says how to use it, and ends what it started."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from local import lifetime
from local.daemon import STOP_S
from local.hosts.ports import free_port
from local.processes import is_running


class Cli:
    """Runs commands against a state directory of its own."""

    def __init__(self, state: Path) -> None:
        self.state = state

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m local` and return what it answered."""
        return subprocess.run(
            [sys.executable, "-m", "local", *arguments],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.state),
                "NO_COLOR": "1",
                "COLUMNS": "200",
                lifetime.DIRECTORY_VARIABLE: str(self.state),
            },
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    """A command line whose AWS ends with the test."""
    found = Cli(tmp_path)
    yield found
    found.run("stop")


def test_start_is_idempotent_keeps_its_port_and_stop_ends_it(cli):
    port = free_port()
    first = cli.run("start", "--port", str(port))
    assert (first.returncode, first.stdout) == (0, f"http://localhost:{port}\n"), first.stderr
    process = lifetime.load(cli.state).server
    assert cli.run("start").stdout == first.stdout
    assert lifetime.load(cli.state).server == process
    assert requests.get(f"{first.stdout.strip()}/_local/health", timeout=5).ok

    assert cli.run("stop").stdout == "stopped: embedded AWS\n"
    assert not is_running(process)
    assert cli.run("stop").stdout == "nothing was running\n"
    assert cli.run("start").stdout == first.stdout


def test_start_refuses_a_port_that_somebody_else_holds(cli):
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        answer = cli.run("start", "--port", str(port))
    assert answer.returncode == 1
    assert f"port {port} is held by a process that is not ours" in answer.stderr
    assert lifetime.load(cli.state) is None


def test_a_port_that_a_stranger_took_meanwhile_is_left_to_it(cli):
    first = cli.run("start", "--port", str(free_port())).stdout
    cli.run("stop")
    port = int(first.strip().rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        again = cli.run("start")
    assert again.returncode == 0, again.stderr
    assert again.stdout != first


def test_two_starts_at_once_never_share_one_aws(tmp_path):
    """Both find the default port free; the one that comes second to it moves on."""
    clis = [Cli(tmp_path / name) for name in ("one", "two", "three")]
    try:
        with ThreadPoolExecutor() as pool:
            answers = list(pool.map(lambda cli: cli.run("start"), clis))
        assert [answer.returncode for answer in answers] == [0, 0, 0], answers
        states = [lifetime.load(cli.state) for cli in clis]
        assert len({state.port for state in states}) == 3
        assert all(lifetime.healthy(state) for state in states)
    finally:
        for cli in clis:
            cli.run("stop")


def test_env_gives_lines_that_a_shell_and_programs_understand(cli):
    assert cli.run("env").returncode == 1
    port = free_port()
    cli.run("start", "--port", str(port))
    found = json.loads(cli.run("env", "--json").stdout)
    assert found["AWS_ENDPOINT_URL"] == f"http://localhost:{port}"
    assert found["AWS_DEFAULT_REGION"] == "ap-northeast-2"
    lines = cli.run("env").stdout
    shell = subprocess.run(
        ["/bin/bash", "-c", f'{lines}\necho "$AWS_ENDPOINT_URL $AWS_EC2_METADATA_DISABLED"'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shell.stdout == f"http://localhost:{port} true\n"


def test_everything_that_a_killed_aws_left_is_ended_by_stop(cli):
    cli.run("start", "--port", str(free_port()))
    state = lifetime.load(cli.state)
    cli.run("status")
    assert json.loads(cli.run("status", "--json").stdout)["running"] is True
    os.kill(state.server.pid, 9)
    assert json.loads(cli.run("status", "--json").stdout)["running"] is False
    assert cli.run("stop").returncode == 0
    again = cli.run("start")
    assert again.returncode == 0, again.stderr


def test_the_help_of_stop_says_how_long_a_container_gets(cli):
    text = " ".join(cli.run("stop", "--help").stdout.split())
    assert f"at most {STOP_S:.0f} s" in text
