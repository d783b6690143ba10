"""Keep one container: the part of Docker's daemon that user data relies on.

The process that runs a Monitor starts the program, carries its output, restarts it, ends it, and
sees to it that nothing it started outlives it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import psutil

from local.hosts.cloudwatch_sink import CloudWatchSink
from local.hosts.container import Container, Program, save
from local.hosts.docker_run import Run
from local.hosts.instance_home import InstanceHome
from local.launcher import PR_SET_CHILD_SUBREAPER, prctl
from local.processes import kill, record
from local.supervisor import launch

_BACKOFF_S = (0.1, 60.0)
_STEADY_S = 10.0


class Monitor:
    """Runs one container to its end; `run` returns its exit code.

    SIGTERM or SIGINT to this process stops the container: SIGTERM, its stop time-out, SIGKILL.
    """

    def __init__(self, home: InstanceHome, run: Run, container: Container, what: Program) -> None:
        self._home, self._run, self._container, self._program = home, run, container, what
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._sink: CloudWatchSink | None = None
        if run.log_driver == "awslogs":
            facts = home.facts()
            options = run.log_options
            self._sink = CloudWatchSink(
                facts.endpoint, facts.region, options["awslogs-group"], options["awslogs-stream"]
            )

    def run(self, *, attached: bool) -> int:
        """Run the container, again and again where it is to be restarted; return the last code."""
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        delay = _BACKOFF_S[0]
        while True:
            began = time.monotonic()
            code = self._once(attached=attached)
            if self._stopping.is_set() or self._run.restart == "no":
                break
            delay = _BACKOFF_S[0] if time.monotonic() - began > _STEADY_S else delay * 2
            self._note(status="restarting", exit_code=code, restarts=self._container.restarts + 1)
            if self._stopping.wait(min(delay, _BACKOFF_S[1])):
                break
        self._note(status="exited", exit_code=code, process=None)
        if self._sink:
            self._sink.close()
        if self._run.remove:
            # Docker forgets the log as well: an environment with its secrets may be printed there.
            for file in (self._home.container_file(self._container.name), self._log_file()):
                file.unlink(missing_ok=True)
        return code

    def _once(self, *, attached: bool) -> int:
        self._process = process = subprocess.Popen(
            launch(self._program.argv, os.getpid(), signal.SIGKILL),
            env=self._program.env,
            cwd=self._program.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        if self._stopping.is_set():
            self._terminate()
        self._note(status="running", process=record(self._container.name, process.pid))
        pumps = [
            threading.Thread(target=self._pump, args=(source, terminal if attached else None))
            for source, terminal in (
                (process.stdout, sys.stdout.buffer),
                (process.stderr, sys.stderr.buffer),
            )
        ]
        for pump in pumps:
            pump.start()
        process.wait()
        _end_leftovers()
        for pump in pumps:
            pump.join()
        return process.returncode if process.returncode >= 0 else 128 - process.returncode

    def _stop(self, *_: object) -> None:
        if not self._stopping.is_set():
            self._stopping.set()
            self._terminate()

    def _terminate(self) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        timer = threading.Timer(self._run.stop_timeout_s, process.kill)
        timer.daemon = True
        timer.start()

    def _pump(self, source: IO[bytes] | None, terminal: IO[bytes] | None) -> None:
        """Carry lines to the log file, to the terminal and to CloudWatch until the pipe ends."""
        assert source is not None  # noqa: S101 (opened as a pipe above)
        with self._log_file().open("ab", buffering=0) as log:
            for line in source:
                log.write(line)
                if terminal:
                    terminal.write(line)
                    terminal.flush()
                if self._sink:
                    self._sink.write(line.decode(errors="replace").rstrip("\r\n"))

    def _log_file(self) -> Path:
        return self._home.log / f"{self._container.name}.log"

    def _note(self, **changes: Any) -> None:
        self._container = replace(self._container, **changes)
        save(self._home, self._container)


def _end_leftovers() -> None:
    """Kill what the ended program left behind; as a subreaper this process inherited it."""
    me = psutil.Process()
    while children := me.children(recursive=True):
        kill(children)
        psutil.wait_procs(children, timeout=1)
