"""What is left of a part once its segments are uploaded: enough to write the playlists from."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.contracts.storage_keys import INIT_SEGMENT
from worker_images.video.segments import SegmentFacts

#: The number of what is made over the whole length, among the parts that count from 0.
WHOLE = -1


@dataclass(frozen=True)
class StreamFacts:
    """One rendition of a part, or the audio: its init segment, its timescale, its segments."""

    init: bytes
    timescale: int
    segments: tuple[SegmentFacts, ...]


@dataclass(frozen=True)
class PartFacts:
    """A part's streams by name (`v1`, `audio`). A part without a frame has none."""

    streams: Mapping[str, StreamFacts]

    def to_json(self) -> dict[str, Any]:
        """Return what `video_parts.facts` holds."""
        return {
            name: {
                "init": base64.b64encode(stream.init).decode(),
                "timescale": stream.timescale,
                "segments": [
                    [each.number, each.start, each.duration, each.size_bytes]
                    for each in stream.segments
                ],
            }
            for name, stream in self.streams.items()
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> PartFacts:
        """Return the facts that `to_json` wrote."""
        return cls(
            {
                name: StreamFacts(
                    base64.b64decode(stream["init"]),
                    stream["timescale"],
                    tuple(SegmentFacts(*each) for each in stream["segments"]),
                )
                for name, stream in value.items()
            }
        )

    def names(self) -> Iterator[str]:
        """Yield the name of every segment below the video's prefix."""
        for name, stream in self.streams.items():
            for segment in stream.segments:
                yield segment_name(name, segment.number)


def segment_name(stream: str, number: int) -> str:
    """Return a segment's name below the video's prefix: `v1/index0.m4s`."""
    return f"{stream}/index{number}.m4s"


def joined(parts: Sequence[PartFacts]) -> dict[str, StreamFacts]:
    """Return each stream over all parts.

    Raises: ValueError when parts of a stream do not share one init segment.
    """
    found: dict[str, StreamFacts] = {}
    for part in parts:
        for name, stream in part.streams.items():
            before = found.get(name)
            if before is not None and (before.init, before.timescale) != (
                stream.init,
                stream.timescale,
            ):
                raise ValueError(f"{name}: parts with different {INIT_SEGMENT}")
            segments = (*(before.segments if before else ()), *stream.segments)
            found[name] = StreamFacts(stream.init, stream.timescale, segments)
    return found
