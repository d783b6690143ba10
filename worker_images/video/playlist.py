"""Media playlists, and the rates that follow from the segments. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from config.contracts.storage_keys import INIT_SEGMENT
from worker_images.video.facts import StreamFacts, segment_name


@dataclass(frozen=True)
class Timed:
    """A segment's duration and size."""

    duration_s: float
    size_bytes: int


@dataclass(frozen=True)
class Rates:
    """Bit rates of a stream in bit/s."""

    peak: int
    average: int

    def __add__(self, other: Rates) -> Rates:
        """Return the rates of two streams that are fetched together."""
        return Rates(self.peak + other.peak, self.average + other.average)


def timed(stream: StreamFacts) -> list[Timed]:
    """Return the segments as a playlist announces them: each lasts until the next one starts."""
    lasting = [after.start - before.start for before, after in pairwise(stream.segments)]
    lasting.append(stream.segments[-1].duration)
    return [
        Timed(ticks / stream.timescale, segment.size_bytes)
        for ticks, segment in zip(lasting, stream.segments, strict=True)
    ]


def target_duration_s(segments: Sequence[Timed]) -> int:
    """Return EXT-X-TARGETDURATION: no EXTINF, rounded, may exceed it (RFC 8216, 4.3.3.1)."""
    return max(1, *(int(segment.duration_s + 0.5) for segment in segments))


def media_playlist(name: str, stream: StreamFacts) -> str:
    """Return the playlist of the finished stream `name`, to lie in its folder."""
    segments = timed(stream)
    lines = [
        *("#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-PLAYLIST-TYPE:VOD"),
        *(f"#EXT-X-TARGETDURATION:{target_duration_s(segments)}", "#EXT-X-MEDIA-SEQUENCE:0"),
        *("#EXT-X-INDEPENDENT-SEGMENTS", f'#EXT-X-MAP:URI="{INIT_SEGMENT}"'),
    ]
    for segment, facts in zip(segments, stream.segments, strict=True):
        file = segment_name(name, facts.number).removeprefix(f"{name}/")
        lines += [f"#EXTINF:{segment.duration_s:.6f},", file]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def measure(segments: Sequence[Timed], target_s: float) -> Rates:
    """Return the rates as RFC 8216 4.1 defines them.

    The peak is the largest rate of any contiguous segments that last between half and one and a
    half target durations together; a stream shorter than that has its average as peak.
    """
    total_s = sum(segment.duration_s for segment in segments)
    average = sum(segment.size_bytes for segment in segments) * 8 / total_s
    peak = 0.0
    for first in range(len(segments)):
        duration_s, size_bytes = 0.0, 0
        for segment in segments[first:]:
            duration_s += segment.duration_s
            size_bytes += segment.size_bytes
            if duration_s > 1.5 * target_s:
                break
            if duration_s >= 0.5 * target_s:
                peak = max(peak, size_bytes * 8 / duration_s)
    return Rates(peak=round(max(peak, average)), average=round(average))
