"""Fragments joined into the segments that players fetch, at the same cuts in every rendition."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from worker_images.video.boxes import Fragment, FragmentReader, with_skip
from worker_images.video.runs import box, write_run

#: `(number of the segment that is open, next fragment's start) -> number of its segment`
Numbering = Callable[[int, int], int]
#: What a media segment announces itself by (ISO/IEC 14496-12, 8.16.2).
_SEGMENT_TYPE = box(b"styp", b"msdh" + bytes(4) + b"msdh")
#: Fragments of a segment are numbered from its own number times this on.
_FRAGMENTS_OF_A_SEGMENT = 1000


@dataclass(frozen=True)
class Segment:
    """A complete segment. Times are ticks on the output's time line."""

    number: int
    start: int
    duration: int
    data: bytes


@dataclass(frozen=True)
class SegmentFacts:
    """What the playlists need of a segment once its bytes are uploaded."""

    number: int
    start: int
    duration: int
    size_bytes: int


def at_cuts(first_number: int, cuts: Sequence[int], tolerance: int) -> Numbering:
    """Number segments by the cuts (ascending ticks) that they begin at, `first_number` the first.

    A fragment up to `tolerance` ticks before a cut belongs behind it.
    """

    def number(_: int, start: int) -> int:
        return first_number + max(0, bisect_right(cuts, start + tolerance) - 1)

    return number


def each_fragment(open_number: int, _: int) -> int:
    """Number segments so that each fragment is one, from 0 on when -1 is open."""
    return open_number + 1


class Segmenter:
    """Takes one rendition's stream and yields its segments, moved by `offset` ticks.

    Where composition offsets may be negative, `delay` is added to each and taken back by the edit
    list of the init segment: libav, and the players made of it, would shift the track instead.
    """

    def __init__(self, numbering: Numbering, *, offset: int = 0, delay: int = 0) -> None:
        self._reader = FragmentReader()
        self._numbering = numbering
        self._offset = offset
        self._delay = delay
        self._number = -1
        self._fragments: list[Fragment] = []
        self._is_open_gop = False

    @property
    def init(self) -> bytes:
        """The init segment, once a fragment came by."""
        return with_skip(self._reader.init, self._delay) if self._delay else self._reader.init

    @property
    def open_fragments(self) -> int:
        """How many fragments the segment has that is not complete yet."""
        return len(self._fragments)

    @property
    def is_open_gop(self) -> bool:
        """Whether a fragment's first sample was not the first shown: a seek there shows faults."""
        return self._is_open_gop

    def feed(self, data: bytes) -> Iterator[Segment]:
        """Take in the next bytes and yield every segment that is complete."""
        for fragment in self._reader.feed(data):
            self._is_open_gop |= fragment.earliest < fragment.start
            number = self._numbering(self._number, fragment.start + self._offset)
            if number != self._number:
                yield from self._finished()
                self._number = number
            self._fragments.append(fragment)

    def end(self) -> Iterator[Segment]:
        """Yield the last segment. Raises: ValueError when the stream broke off."""
        self._reader.end()
        yield from self._finished()

    def _finished(self) -> Iterator[Segment]:
        if not self._fragments:
            return
        first = self._number * _FRAGMENTS_OF_A_SEGMENT + 1
        data = b"".join(
            write_run(fragment.run, sequence=first + at, offset=self._offset, later=self._delay)
            + fragment.media
            for at, fragment in enumerate(self._fragments)
        )
        start = self._fragments[0].start + self._offset
        duration = sum(fragment.duration for fragment in self._fragments)
        self._fragments = []
        yield Segment(self._number, start, duration, _SEGMENT_TYPE + data)
