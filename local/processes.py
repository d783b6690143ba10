"""What a process is beyond its number, and how it is ended with everything it started.

A process id is reused; an identity is not. No signal goes to a process whose identity differs
from the recorded one.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Record:
    """A started process that leads its own session.

    `create_time` is in epoch seconds, for people; `identity` is what is compared.
    """

    name: str
    pid: int
    create_time: float
    identity: str


def identity(pid: int) -> str | None:
    """Return what tells this process from any other that ever has its number; None if gone.

    On Linux boot id and start tick, which a stepped clock does not move; elsewhere the start time.
    A zombie counts as gone.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        if _BOOT_ID.exists():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            return f"{_BOOT_ID.read_text().strip()}:{fields[19]}"
        return f"{process.create_time():.2f}"
    except (psutil.Error, OSError):
        return None


def record(name: str, pid: int) -> Record:
    """Return the record of a process just started; one that ended already matches nothing."""
    try:
        created = psutil.Process(pid).create_time()
    except psutil.Error:
        created = 0.0
    return Record(name, pid, created, identity(pid) or "")


def is_running(known: Record) -> bool:
    """Tell whether the recorded process, and no other under its number, still runs."""
    return bool(known.identity) and identity(known.pid) == known.identity


def signal_record(known: Record, number: int) -> bool:
    """Send a signal to the recorded process if it is still that one."""
    if not is_running(known):
        return False
    with suppress(ProcessLookupError):
        os.kill(known.pid, number)
        return True
    return False


def family(known: Record) -> list[psutil.Process]:
    """Return the recorded process, its descendants, and what is left of its session.

    A session's number is not given to a new process while a member lives, so members that are
    no younger than the record's process belong to it; a stranger that leads a session of that
    number ends the search.
    """
    found: dict[int, psutil.Process] = {}
    with suppress(psutil.Error):
        leader = psutil.Process(known.pid)
        if is_running(known):
            found = {child.pid: child for child in (leader, *leader.children(recursive=True))}
        elif leader.status() != psutil.STATUS_ZOMBIE:
            return []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if os.getsid(process.pid) == known.pid and process.create_time() >= known.create_time:
                found[process.pid] = process
    found.pop(os.getpid(), None)
    return list(found.values())


def kill(processes: Iterable[psutil.Process]) -> None:
    """Send SIGKILL to each that still is the process it was when it was found."""
    for process in processes:
        with suppress(psutil.Error):
            process.send_signal(signal.SIGKILL)  # psutil compares identities first


def stop(known: Sequence[tuple[Record, int]], grace_s: float) -> list[Record]:
    """End recorded processes: each gets its signal, `grace_s` seconds, then SIGKILL for the rest.

    Returns the records that were running. Whatever they started ends with them.
    """
    running = [(one, number) for one, number in known if is_running(one)]
    families = {one.pid: family(one) for one, _ in running}
    for one, number in running:
        signal_record(one, number)
    deadline = time.monotonic() + grace_s
    while time.monotonic() < deadline and any(is_running(one) for one, _ in running):
        time.sleep(0.02)
    for one, _ in known:
        kill([*families.get(one.pid, ()), *family(one)])
    return [one for one, _ in running]


def cpu_s_of(pid: int) -> float | None:
    """Return the CPU seconds of a process and its descendants, ended ones too; None if gone."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return None
    used = 0.0
    for one in family:
        with suppress(psutil.Error):  # it ended meanwhile, and counts as its parent's
            times = one.cpu_times()
            used += times.user + times.system + times.children_user + times.children_system
    return used
