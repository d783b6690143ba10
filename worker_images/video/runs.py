"""A movie fragment's index (`moof`), read and written. Pure.

ISO/IEC 14496-12, 8.8.4 to 8.8.12. One track and one run of samples, as one-track files have.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_HEADER_BYTES = 8
#: Flags of `tfhd`.
_BASE_DATA_OFFSET, _DESCRIPTION_INDEX, _DEFAULT_DURATION = 0x1, 0x2, 0x8
#: Flags of `trun`, and those of them that stand for a field of every sample, in their order.
_DATA_OFFSET, _FIRST_FLAGS = 0x1, 0x4
_DURATION, _SIZE, _FLAGS, _COMPOSITION_OFFSET = 0x100, 0x200, 0x400, 0x800


@dataclass(frozen=True)
class Sample:
    """When a sample is decoded until, and how much later than decoded it is shown, in ticks.

    `fields` are its numbers in the run, the composition offset left out.
    """

    duration: int
    composition_offset: int
    fields: tuple[int, ...]


@dataclass(frozen=True)
class Run:
    """What a `moof` says. `header` is its `tfhd`; `flags` and `first_flags` are its `trun`'s."""

    header: bytes
    decode_time: int
    flags: int
    first_flags: bytes
    samples: tuple[Sample, ...]


def boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of each box in `data`. Raises: ValueError when one runs over."""
    at = 0
    while at < len(data):
        if at + _HEADER_BYTES > len(data):
            raise ValueError(f"{len(data) - at} bytes behind the last box")
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < _HEADER_BYTES or at + size > len(data):
            raise ValueError(f"box {kind!r} of {size} bytes at {at} of {len(data)}")
        yield kind, at, at + size
        at += size


def read_run(moof: bytes) -> Run:
    """Return what a `moof` says. Raises: ValueError unless it is of one track and one run."""
    tracks = _inner(moof, b"traf")
    if len(tracks) != 1:
        raise ValueError(f"fragment of {len(tracks)} tracks")
    headers, times, runs = (_inner(tracks[0], kind) for kind in (b"tfhd", b"tfdt", b"trun"))
    if not len(headers) == len(times) == len(runs) == 1:
        raise ValueError("fragment without its header or its time, or not of one run")
    layout = ">Q" if times[0][8] == 1 else ">I"
    (decode_time,) = struct.unpack_from(layout, times[0], 12)
    flags, first_flags, samples = _read_samples(runs[0], _default_duration(headers[0]))
    if not samples:
        raise ValueError("fragment without samples")
    return Run(headers[0], decode_time, flags, first_flags, samples)


def write_run(run: Run, *, sequence: int, offset: int, later: int) -> bytes:
    """Return the `moof` of a run moved by `offset` ticks, as number `sequence` of its track.

    Samples are shown `later` ticks later still; an edit list takes that back. Raises: ValueError
    when the run would begin before 0.
    """
    decode_time = run.decode_time + offset
    if decode_time < 0:
        raise ValueError(f"decode time {run.decode_time} moved by {offset} is negative")
    number = struct.pack(">II", 0, sequence)
    time = struct.pack(">IQ", 1 << 24, decode_time)
    written = b"".join(
        struct.pack(f">{len(sample.fields)}Ii", *sample.fields, sample.composition_offset + later)
        for sample in run.samples
    )
    is_signed = any(sample.composition_offset + later < 0 for sample in run.samples)
    flags = struct.pack(">I", run.flags | _COMPOSITION_OFFSET | is_signed << 24)
    count = struct.pack(">I", len(run.samples))

    def moof(data_offset: int) -> bytes:
        start = struct.pack(">I", data_offset) + run.first_flags
        trun = box(b"trun", flags + count + start + written)
        traf = box(b"traf", run.header + box(b"tfdt", time) + trun)
        return box(b"moof", box(b"mfhd", number) + traf)

    return moof(len(moof(0)) + _HEADER_BYTES)


def _read_samples(
    trun: bytes, default_duration: int | None
) -> tuple[int, bytes, tuple[Sample, ...]]:
    version, (word, count) = trun[8], struct.unpack_from(">II", trun, 8)
    word &= 0xFFFFFF
    if not word & _DATA_OFFSET:
        raise ValueError("run without a data offset")
    first_flags = trun[20:24] if word & _FIRST_FLAGS else b""
    fields = [flag for flag in (_DURATION, _SIZE, _FLAGS, _COMPOSITION_OFFSET) if word & flag]
    layout = struct.Struct(
        ">" + "".join("i" if f == _COMPOSITION_OFFSET and version == 1 else "I" for f in fields)
    )
    if layout.size * count != len(trun) - 20 - len(first_flags):
        raise ValueError(f"run of {len(trun)} bytes for {count} samples")
    samples = []
    for values in layout.iter_unpack(trun[20 + len(first_flags) :]) if fields else [()] * count:
        named = dict(zip(fields, values, strict=True))
        composition_offset = named.pop(_COMPOSITION_OFFSET, 0)
        duration = named.get(_DURATION, default_duration)
        if duration is None:
            raise ValueError("sample without a duration")
        samples.append(Sample(duration, composition_offset, tuple(named.values())))
    return word, first_flags, tuple(samples)


def _default_duration(header: bytes) -> int | None:
    (word,) = struct.unpack_from(">I", header, 8)
    if not word & _DEFAULT_DURATION:
        return None
    skipped = (8 if word & _BASE_DATA_OFFSET else 0) + (4 if word & _DESCRIPTION_INDEX else 0)
    duration: int = struct.unpack_from(">I", header, 16 + skipped)[0]
    return duration


def _inner(outer: bytes, kind: bytes) -> list[bytes]:
    """Return the boxes of a kind that stand directly in a box."""
    content = outer[_HEADER_BYTES:]
    return [content[start:end] for found, start, end in boxes(content) if found == kind]


def box(kind: bytes, content: bytes) -> bytes:
    """Return a box."""
    return struct.pack(">I4s", _HEADER_BYTES + len(content), kind) + content
