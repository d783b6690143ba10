"""Fragmented MP4 as it streams by: its init segment and its fragments. Pure.

Box layouts: ISO/IEC 14496-12, 8.8 (movie fragments). One track a file, one run a fragment.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from worker_images.video.runs import Run, box, boxes, read_run

_HEADER_BYTES = 8
#: An index names samples, not media: one of 64 MB is none, but a lost position in the stream.
_MAX_INDEX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Fragment:
    """A `moof`, read, and its `mdat`. Times are in ticks of the track's timescale.

    `start` is when the first sample is shown, `earliest` when the first of all is: they differ
    where the fragment cannot be decoded from its own first sample on.
    """

    run: Run
    media: bytes
    start: int
    earliest: int
    duration: int


class FragmentReader:
    """Takes a fragmented MP4 in pieces of any size; `init` holds what precedes the fragments."""

    def __init__(self) -> None:
        self.init = b""
        self._rest = bytearray()
        self._run: Run | None = None
        self._skipped = 0

    def feed(self, data: bytes) -> Iterator[Fragment]:
        """Take in the next bytes and yield every fragment that they complete.

        Raises: ValueError where the bytes are no fragmented MP4 of one track.
        """
        self._rest += data
        while (found := self._next_box()) is not None:
            kind, content = found
            if kind == b"moof":
                self._run = read_run(content)
            elif kind == b"mdat" and self._run is not None:
                yield _fragment(self._run, content, self._skipped)
                self._run = None
            elif kind in (b"ftyp", b"moov"):
                self.init += content
                self._skipped = skipped_ticks(self.init)

    def end(self) -> None:
        """Raises: ValueError when the stream broke off within a box or a fragment."""
        if self._rest or self._run is not None:
            raise ValueError(f"fragmented MP4 ends {len(self._rest)} bytes into a box")

    def _next_box(self) -> tuple[bytes, bytes] | None:
        if len(self._rest) < _HEADER_BYTES:
            return None
        size, kind = struct.unpack_from(">I4s", self._rest)
        if size < _HEADER_BYTES or (kind != b"mdat" and size > _MAX_INDEX_BYTES):
            raise ValueError(f"box {kind!r} of {size} bytes")
        if len(self._rest) < size:
            return None
        content = bytes(memoryview(self._rest)[:size])
        del self._rest[:size]
        return kind, content


def skipped_ticks(init: bytes) -> int:
    """Return what an init segment's edit list has players skip at the track's beginning."""
    at = init.find(b"elst")
    if at < 0 or struct.unpack_from(">II", init, at + 4) != (0, 1):
        return 0
    skipped: int = struct.unpack_from(">i", init, at + 16)[0]
    return max(0, skipped)


def with_skip(init: bytes, ticks: int) -> bytes:
    """Return an init segment whose track is shown `ticks` earlier than its samples say (8.6.6).

    Raises: ValueError where there is an edit list already.
    """
    if b"elst" in init:
        raise ValueError("init segment with an edit list")
    entry = struct.pack(">IIIiI", 0, 1, 0, ticks, 0x10000)
    edit = box(b"edts", box(b"elst", entry))
    return b"".join(_with_edit(init, kind, start, end, edit) for kind, start, end in boxes(init))


def codec(init: bytes) -> str:
    """Return what RFC 6381 calls the codec of an init segment, such as `avc1.640028`.

    The three bytes after the version in the `avcC` box are profile, constraints and level
    (ISO/IEC 14496-15, 5.3.3.1). Raises: ValueError for anything but H.264 and AAC-LC.
    """
    at = init.find(b"avcC")
    if at >= 0:
        return f"avc1.{init[at + 5 : at + 8].hex()}"
    if b"mp4a" in init:
        return "mp4a.40.2"
    raise ValueError("init segment without H.264 and without AAC")


def _with_edit(data: bytes, kind: bytes, start: int, end: int, edit: bytes) -> bytes:
    """Return a box of `data` with the edit behind the track's header, where it holds one."""
    if kind not in (b"moov", b"trak"):
        return data[start:end]
    inner = data[start + _HEADER_BYTES : end]
    rebuilt = b""
    for found, from_, to in boxes(inner):
        rebuilt += _with_edit(inner, found, from_, to, edit)
        rebuilt += edit if found == b"tkhd" else b""
    return box(kind, rebuilt)


def _fragment(run: Run, media: bytes, skipped: int) -> Fragment:
    shown, time = [], run.decode_time - skipped
    for sample in run.samples:
        shown.append(time + sample.composition_offset)
        time += sample.duration
    duration = time + skipped - run.decode_time
    return Fragment(run, media, shown[0], min(shown), duration)
