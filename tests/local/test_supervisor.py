"""Processes are started, recorded and ended as a whole, and nobody else's ever."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from local.processes import identity, is_running, record
from local.supervisor import RECORDS, Supervisor, recorded, stop_recorded
from tests.local.waiting import until

ENV = {"PATH": os.environ["PATH"]}


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    """A supervisor whose children end with the test."""
    found = Supervisor(tmp_path)
    yield found
    found.stop_all(grace_s=0.2)


def spawn(supervisor: Supervisor, tmp_path: Path, script: str):
    """Start a bash script under the supervisor."""
    return supervisor.spawn(
        "test", ["bash", "-c", script], env=ENV, cwd=tmp_path, log_path=tmp_path / "log.txt"
    )


def written(path: Path) -> Callable[[], bool]:
    """Tell whether a file holds a whole line."""
    return lambda: path.exists() and path.read_text().endswith("\n")


def test_a_child_leads_its_own_session_and_writes_to_its_log(supervisor, tmp_path):
    child = spawn(supervisor, tmp_path, "echo hello; echo oops >&2; exec sleep 60")
    until(lambda: (tmp_path / "log.txt").read_text() == "hello\noops\n")
    assert os.getsid(child.pid) == child.pid != os.getsid(0)


def test_records_name_number_and_identity_of_what_runs(supervisor, tmp_path):
    child = spawn(supervisor, tmp_path, "exec sleep 60")
    (entry,) = json.loads((tmp_path / RECORDS).read_text())
    assert entry["name"] == "test"
    assert entry["pid"] == child.pid
    assert entry["create_time"] == pytest.approx(psutil.Process(child.pid).create_time(), abs=1)
    assert entry["identity"] == identity(child.pid)


def test_stop_returns_the_exit_code_of_a_program_that_obeys(supervisor, tmp_path):
    child = spawn(
        supervisor, tmp_path, "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done"
    )
    until(written(tmp_path / "log.txt"))
    assert supervisor.stop(child, grace_s=10) == 7
    assert recorded(tmp_path) == []


def test_stop_kills_what_ignores_the_signal_and_its_grandchildren(supervisor, tmp_path):
    script = "trap '' TERM; (trap '' TERM; sleep 61 & echo $! >pid; wait) & wait"
    child = spawn(supervisor, tmp_path, script)
    until(written(tmp_path / "pid"))
    grandchild = record("grandchild", int((tmp_path / "pid").read_text()))
    assert is_running(grandchild)
    assert supervisor.stop(child, grace_s=0.2) == -signal.SIGKILL
    until(lambda: not is_running(grandchild))


def test_stop_ends_descendants_that_left_the_session(supervisor, tmp_path):
    script = "setsid sleep 62 & echo $! >pid; wait"
    child = spawn(supervisor, tmp_path, script)
    until(written(tmp_path / "pid"))
    stray = record("stray", int((tmp_path / "pid").read_text()))
    until(lambda: os.getsid(stray.pid) == stray.pid)
    supervisor.stop(child, grace_s=1)
    until(lambda: not is_running(stray))


def test_stop_recorded_ends_what_a_former_supervisor_left(supervisor, tmp_path):
    child = spawn(supervisor, tmp_path, "exec sleep 60")
    (stopped,) = stop_recorded(tmp_path, grace_s=5)
    assert stopped.pid == child.pid
    assert child.process.wait(5) == -signal.SIGTERM
    assert recorded(tmp_path) == []


def test_stop_recorded_spares_a_stranger_under_a_recorded_number(tmp_path):
    with subprocess.Popen(["/bin/sleep", "60"], start_new_session=True) as stranger:
        entry = {"name": "old", "pid": stranger.pid, "create_time": 1.0, "identity": "boot:1"}
        (tmp_path / RECORDS).write_text(json.dumps([{**entry, "stop_signal": 15}]))
        assert stop_recorded(tmp_path, grace_s=0.1) == []
        assert stranger.poll() is None
        stranger.kill()


def test_stop_recorded_without_any_record_is_fine(tmp_path):
    assert stop_recorded(tmp_path) == []


def test_a_child_outlives_the_thread_that_asked_for_it(supervisor, tmp_path):
    made = []
    thread = threading.Thread(target=lambda: made.append(spawn(supervisor, tmp_path, "sleep 60")))
    thread.start()
    thread.join()
    with pytest.raises(subprocess.TimeoutExpired):
        made[0].process.wait(0.3)


@pytest.mark.skipif(sys.platform != "linux", reason="death signals are Linux's")
def test_children_end_when_the_supervising_process_is_killed(tmp_path):
    program = (
        "import sys,time; from pathlib import Path; from local.supervisor import Supervisor\n"
        "here=Path(sys.argv[1])\n"
        "child=Supervisor(here).spawn('c',['sleep','60'],env={'PATH':'/usr/bin:/bin'},"
        "cwd=here,log_path=here/'log.txt')\n"
        "print(child.pid,flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as parent:
        child = record("child", int(parent.stdout.readline()))
        until(lambda: psutil.Process(child.pid).name() == "sleep")
        parent.kill()
    until(lambda: not is_running(child))


def test_a_program_that_does_not_exist_says_so_in_the_log(supervisor, tmp_path):
    child = supervisor.spawn(
        "x", ["/nowhere/prog"], env=ENV, cwd=tmp_path, log_path=tmp_path / "log.txt"
    )
    assert child.process.wait(10) == 1
    assert "/nowhere/prog: No such file" in (tmp_path / "log.txt").read_text()
