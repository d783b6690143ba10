"""Recordings put behind each other byte by byte, as camcorders' parts are: their time begins anew.

Played from the beginning to the end by its time stamps, such a file shows its last part alone.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import av
from av.error import FFmpegError

from worker_images.video.container import FORMATS, shown_s
from worker_images.video.remote import RemoteFile, open_source

#: The formats in which a player finds its way from any byte on.
_STREAMS = frozenset({"mpegts", "mpeg"})
_SPOTS = 8
#: Streams may be apart by so much in the file; time stamps begin anew after 2^33 ticks.
_SLACK_S, _WRAP_S = 3.0, 2**33 / 90_000


def is_joined(location: str | Path, container: str, *, start_s: float, duration_s: float) -> bool:
    """Whether time does not rise through a file, looked at from eight of its bytes on.

    Raises: Retryable when the source was not read.
    """
    if container not in _STREAMS:
        return False
    with open_source(location) as file:
        found = [(at_s - start_s) % _WRAP_S for at_s in _times_s(file)]
        if isinstance(file, RemoteFile) and file.failure is not None:
            raise file.failure
    # Just before the start is the end of the wrap.
    passed_s = [0.0 if at_s > _WRAP_S - _SLACK_S else at_s for at_s in found]
    ends_late = any(at_s > duration_s + _SLACK_S for at_s in passed_s)
    return ends_late or any(later < earlier - _SLACK_S for earlier, later in pairwise(passed_s))


def _times_s(file: RemoteFile | BinaryIO) -> Iterator[float]:
    size_bytes = file.seek(0, io.SEEK_END)
    for spot in range(1, _SPOTS):
        try:
            with av.open(
                _Behind(file, size_bytes * spot // _SPOTS), options={"format_whitelist": FORMATS}
            ) as container:
                at_s = next((at for p in container.demux() if (at := shown_s(p)) is not None), None)
        except FFmpegError:
            continue
        if at_s is not None:
            yield at_s


class _Behind:
    """A file as if it began at one of its bytes."""

    def __init__(self, file: RemoteFile | BinaryIO, first: int) -> None:
        self._file = file
        self._first = first
        self.seek(0)

    def read(self, size: int) -> bytes:
        """Read on."""
        return self._file.read(size)

    def tell(self) -> int:
        """Return the place."""
        return self._file.tell() - self._first

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        at = self._first + offset if whence == io.SEEK_SET else offset
        return self._file.seek(at, whence) - self._first
