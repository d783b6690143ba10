"""One ffmpeg process: what it reports, what it writes, and that it never outlives the worker."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from worker_images.base import launch
from worker_images.base.cancellation import Cancellation
from worker_images.base.clock import Clock
from worker_images.base.errors import Permanent, Retryable
from worker_images.base.logging import logger

_log = logger("ffmpeg")
#: ffmpeg reports twice a second; without a new output time for this long it hangs.
STALL_S = 300.0
_POLL_S = 0.5
_READ_BYTES = 1 << 18
_STDERR_TAIL = 2000
ENCODE_FAILED = (
    "ENCODE_FAILED",
    "영상을 변환하지 못했습니다. 파일이 재생되는지 확인하고 다시 업로드해 주세요. "
    "계속되면 관리자에게 문의해 주세요.",
)
#: What ffmpeg says of the machine and of the way to the source, not of the source itself.
_PASSING_FAULTS = (
    "No space left on device",
    "Cannot allocate memory",
    "Connection timed out",
    "Connection reset",
    "Connection refused",
    "Network is unreachable",
    "Input/output error",
    "Server returned 4",
    "Server returned 5",
    "HTTP error",
)

#: Takes in what ffmpeg wrote to one output, in order. It may block: ffmpeg waits for it.
Sink = Callable[[bytes], None]


@dataclass(frozen=True)
class Ffmpeg:
    """Runs ffmpeg so that it never outlives the worker, however that ends."""

    clock: Clock
    stall_s: float = STALL_S

    def run(
        self,
        command: Sequence[str],
        folder: Path,
        cancellation: Cancellation,
        on_poll: Callable[[float], None],
        outputs: Mapping[str, Sink] | None = None,
    ) -> None:
        """Run a command in `folder`; call `on_poll` twice a second with the seconds encoded.

        The words of the command that `outputs` names become pipes, read to their ends by its
        sinks. Raises: what `cancellation`, `on_poll` or a sink raises; Retryable when ffmpeg
        hangs, is killed, or lacks space or its source; Permanent when it fails on this source.
        ffmpeg has ended in each case.
        """
        with ExitStack() as stack:
            stderr = stack.enter_context((folder / f"{os.urandom(4).hex()}.log").open("w+b"))
            process, sinks = _start(command, folder, stderr, outputs or {}, stack)
            try:
                self._follow(process, sinks, cancellation, on_poll)
            finally:
                process.kill()
                process.wait()
            _check_exit(process.returncode, stderr, command)

    def _follow(
        self,
        process: subprocess.Popen[bytes],
        sinks: Mapping[IO[bytes], Sink],
        cancellation: Cancellation,
        on_poll: Callable[[float], None],
    ) -> None:
        progress, moved_at = Progress(), self.clock.now()
        assert process.stdout is not None  # noqa: S101 - opened as a pipe below
        readers = {process.stdout: progress.feed, **sinks}
        with selectors.DefaultSelector() as selector:
            for pipe in readers:
                selector.register(pipe, selectors.EVENT_READ)
            while selector.get_map():
                cancellation.check()
                encoded_s = progress.encoded_s
                for key, _ in selector.select(_POLL_S):
                    read = os.read(key.fd, _READ_BYTES)
                    if read:
                        readers[key.fileobj](read)  # type: ignore[index]
                    else:
                        selector.unregister(key.fileobj)
                if progress.encoded_s > encoded_s:
                    moved_at = self.clock.now()
                elif self.clock.now() - moved_at > self.stall_s:
                    raise Retryable("FFMPEG_STALLED", f"no progress for {self.stall_s:.0f} s")
                on_poll(progress.encoded_s)
        process.wait()


class Progress:
    """Reads ffmpeg's `-progress` report, however the pipe cuts it."""

    def __init__(self) -> None:
        self.encoded_s = 0.0
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take in what was read."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            key, _, value = line.partition(b"=")
            if key == b"out_time_us" and value.strip().isdigit():
                self.encoded_s = max(self.encoded_s, int(value) / 1_000_000)


def _start(
    command: Sequence[str],
    folder: Path,
    stderr: IO[bytes],
    outputs: Mapping[str, Sink],
    stack: ExitStack,
) -> tuple[subprocess.Popen[bytes], dict[IO[bytes], Sink]]:
    """Start the process; `stack` closes its pipes."""
    sinks: dict[IO[bytes], Sink] = {}
    written: dict[str, int] = {}
    for word, sink in outputs.items():
        reading, writing = os.pipe()
        sinks[stack.enter_context(os.fdopen(reading, "rb", buffering=0))] = sink
        written[word] = writing
    launcher = [sys.executable, "-I", launch.__file__, str(os.getpid())]
    words = [f"pipe:{written[word]}" if word in written else word for word in command]
    try:
        process = subprocess.Popen(
            [*launcher, *words],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=stderr,
            pass_fds=tuple(written.values()),
        )
    finally:
        for writing in written.values():
            os.close(writing)
    return stack.enter_context(process), sinks


def _check_exit(code: int, stderr: IO[bytes], command: Sequence[str]) -> None:
    if code == 0:
        return
    stderr.seek(0)
    said = stderr.read().decode(errors="replace").strip()
    for word in command:
        if "://" in word:  # a presigned URL opens the source to whoever reads the log
            said = said.replace(word, "<source>")
    said = said[-_STDERR_TAIL:]
    if code < 0:
        raise Retryable("FFMPEG_KILLED", f"ended by signal {-code}: {said}")
    if any(fault in said for fault in _PASSING_FAULTS):
        raise Retryable("FFMPEG_RESOURCES", said)
    _log.error("ffmpeg failed", exit_code=code, stderr=said)
    raise Permanent(*ENCODE_FAILED)
