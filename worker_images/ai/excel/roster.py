"""An uploaded roster, read by a process that may die of it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

from config.contracts.spreadsheets import DAMAGED, UNPACKS_TOO_LARGE, refusal
from worker_images.ai.excel.reading import Reading
from worker_images.base.cancellation import Cancellation
from worker_images.base.errors import BadInput, Retryable, WorkerError
from worker_images.base.logging import logger

_log = logger("excel")
_READER = "worker_images.ai.excel.reader"
_ROOT = Path(__file__).parents[3]
_POLL_S = 0.05
_LOGGED_CHARACTERS = 500
#: How a process ends that asked for more memory or CPU time than it may have, or that the file
#: crashed. SIGKILL is not among them: the machine ran out of memory, and that is not the file's.
_DEATHS = {
    signal.SIGABRT: UNPACKS_TOO_LARGE,
    signal.SIGXCPU: UNPACKS_TOO_LARGE,
    signal.SIGSEGV: DAMAGED,
    signal.SIGBUS: DAMAGED,
}


def read_roster(source: Path, target: Path, cancellation: Cancellation) -> Reading:
    """Write a roster's students into `target`, a line each, see reader.py.

    Raises: BadInput for a file that holds no roster; Retryable when the reader was killed; what
    `cancellation` says.
    """
    with source.open("rb") as file:
        refused = refusal(file, source.stat().st_size)
    if refused:
        raise BadInput(*refused)
    answer = json.loads(_run(source, target, cancellation))
    if "code" in answer:
        raise BadInput(answer["code"], answer["message"])
    return Reading(**answer)


def _run(source: Path, target: Path, cancellation: Cancellation) -> str:
    """Return what the reader wrote to its standard output. It is given no secret."""
    said, complained = target.with_suffix(".json"), target.with_suffix(".log")
    with said.open("wb") as stdout, complained.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", _READER, str(source), str(target)],
            stdout=stdout,
            stderr=stderr,
            cwd=_ROOT,
            env={"PYTHONUTF8": "1"},
        )
    try:
        while process.poll() is None and not cancellation.wait(_POLL_S):
            pass
    finally:
        process.kill()
        process.wait()
    cancellation.check()
    if process.returncode != 0:
        raise _death(process.returncode, complained.read_text("utf-8", "replace"))
    return said.read_text("utf-8")


def _death(returncode: int, complaint: str) -> WorkerError:
    _log.warning("reader died", returncode=returncode, complaint=complaint[-_LOGGED_CHARACTERS:])
    if -returncode in _DEATHS:
        return BadInput(*_DEATHS[signal.Signals(-returncode)])
    return Retryable("READER_DIED", "엑셀 파일을 읽는 중 오류가 발생하여 다시 시도합니다.")
