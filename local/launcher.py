"""Become another program, and be told when the parent dies.

Usage: `python -I -S launcher.py PARENT_PID SIGNAL PROGRAM [ARGUMENT...]`. Linux delivers SIGNAL
(prctl PR_SET_PDEATHSIG, kept across exec); elsewhere nothing is arranged. A launcher instead of
subprocess's preexec_fn, which may deadlock in a process that has threads.
https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def prctl(option: int, value: int) -> None:
    """Set one attribute of this process; nothing happens where there is no prctl."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def main(arguments: list[str]) -> None:
    """Arrange the death signal and exec; a parent that is gone already ends this at once."""
    parent, number, program = int(arguments[0]), int(arguments[1]), arguments[2:]
    prctl(PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        sys.exit(f"launcher: parent {parent} is gone, {program[0]} not started")
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores both, and exec keeps that
        signal.signal(ignored, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        os.execvp(program[0], program)  # noqa: S606 (no shell is wanted)
    except OSError as error:
        sys.exit(f"launcher: {program[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
