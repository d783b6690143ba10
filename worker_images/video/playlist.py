"""Media playlists as ffmpeg writes them, and the rates that follow from them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Listed:
    """A complete segment: its file name and its duration."""

    name: str
    duration_s: float


@dataclass(frozen=True)
class Segment:
    """A segment's duration and size."""

    duration_s: float
    size_bytes: int


@dataclass(frozen=True)
class Rates:
    """Bit rates of a rendition, everything that is muxed included, in bit/s."""

    peak: int
    average: int


def listed_segments(text: str) -> list[Listed]:
    """Return the segments that a media playlist names, in order.

    A name without its duration line is not complete yet and ends the list.
    """
    found: list[Listed] = []
    duration_s: float | None = None
    for line in text.splitlines():
        if line.startswith("#EXTINF:"):
            duration_s = float(line.removeprefix("#EXTINF:").split(",")[0])
        elif line and not line.startswith("#"):
            if duration_s is None:
                break
            found.append(Listed(line, duration_s))
            duration_s = None
    return found


def is_ended(text: str) -> bool:
    """Whether the playlist is finished."""
    return "#EXT-X-ENDLIST" in text.splitlines()


def as_vod(text: str) -> str:
    """Return a finished playlist with the type that says that nothing will be appended."""
    return text.replace("#EXT-X-PLAYLIST-TYPE:EVENT", "#EXT-X-PLAYLIST-TYPE:VOD")


def target_duration_s(text: str) -> float:
    """Return EXT-X-TARGETDURATION. Raises: ValueError when the playlist has none."""
    for line in text.splitlines():
        if line.startswith("#EXT-X-TARGETDURATION:"):
            return float(line.partition(":")[2])
    raise ValueError("playlist without #EXT-X-TARGETDURATION")


def measure(segments: Sequence[Segment], target_s: float) -> Rates:
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
