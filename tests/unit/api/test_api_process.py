"""The API as its container runs it: gunicorn, two processes, JSON lines without secrets."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.unit.api.servers import free_port, wait_until

REPOSITORY = Path(__file__).parents[3]


def gunicorn(environ: dict[str, str], cwd: Path) -> subprocess.Popen[str]:
    program = Path(sys.executable).with_name("gunicorn")
    arguments = ["--config", "python:worker_images.api.gunicorn_conf"]
    return subprocess.Popen(
        [program, *arguments, "worker_images.api.wsgi:application"],
        env={**os.environ, **environ, "PYTHONPATH": str(REPOSITORY)},
        cwd=cwd,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def started(environ: dict[str, str], folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """An API process that serves: its address, and the process."""
    address = f"127.0.0.1:{free_port()}"
    extra = {"API_BIND": address, "TMPDIR": str(folder), "ALLOWED_HOSTS": "127.0.0.1"}
    process = gunicorn({**environ, **extra}, folder)

    def serves() -> bool:
        assert process.poll() is None
        try:
            return requests.get(f"http://{address}/healthz", timeout=30).ok
        except requests.ConnectionError:
            return False

    wait_until(serves)
    yield f"http://{address}", process
    if process.poll() is None:
        process.kill()
        process.communicate()


@pytest.fixture
def served(
    database: None, environment: dict[str, str], tmp_path: Path
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    with started(environment, tmp_path) as found:
        yield found


def test_it_serves_counts_over_all_processes_and_stops_on_sigterm(
    served: tuple[str, subprocess.Popen[str]], environment: dict[str, str]
) -> None:
    url, process = served
    headers = {"Authorization": f"Bearer {environment['OPERATOR_API_TOKEN']}", "X-Tenant-Id": "1"}
    for _ in range(20):
        answer = requests.get(f"{url}/api/v1/media/videos/5/progress/", headers=headers, timeout=10)
        assert answer.status_code == 404
    requests.get(f"{url}/watch/1:token-in-a-path:xyz/", timeout=10)
    route = re.escape("/api/v1/media/videos/<int:video_id>/progress/")
    text = requests.get(f"{url}/metrics", timeout=10).text
    assert re.search(
        rf'academy_api_requests_total{{method="GET",route="{route}",status="404"}} 20\.0', text
    )

    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=40)
    assert process.returncode == 0
    lines = [json.loads(line) for line in log.splitlines()]
    requests_logged = [line for line in lines if line["event"] == "request"]
    assert all(line["request_id"] for line in requests_logged)
    for secret in ("OPERATOR_API_TOKEN", "SECRET_KEY", "LAMBDA_INTERNAL_API_KEY", "DB_PASSWORD"):
        assert environment[secret] not in log
    assert "token-in-a-path" not in log


def test_a_missing_variable_stops_the_process_by_name(
    environment: dict[str, str], tmp_path: Path
) -> None:
    environ = {**environment, "OPERATOR_API_TOKEN": ""}
    process = gunicorn({**environ, "API_BIND": "127.0.0.1:0"}, tmp_path)
    _, log = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "missing or empty: OPERATOR_API_TOKEN" in log


def test_a_management_command_says_what_is_missing_in_one_line(
    environment: dict[str, str],
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "worker_images.api.manage", "migrate_once", "--release", "x"],
        env={**os.environ, **environment, "DB_PORT": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr == "academy-api: DB_PORT='0' must be a whole number, at least 1\n"
