"""Encoding one part, or what is made over the whole length: the units of work of a video."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from worker_images.base.cancellation import Cancellation
from worker_images.base.clock import Clock
from worker_images.video.commands import AUDIO, AUDIO_HZ, part_command, whole_command
from worker_images.video.copying import PEAK
from worker_images.video.facts import WHOLE, PartFacts, StreamFacts, segment_name
from worker_images.video.ffmpeg import Ffmpeg
from worker_images.video.plan import Plan
from worker_images.video.playlist import measure, target_duration_s, timed
from worker_images.video.segments import (
    Segment,
    Segmenter,
    SegmentFacts,
    at_cuts,
    each_fragment,
)
from worker_images.video.uploads import Uploads

#: x264 reorders over two frames; a source's jitter may add to that.
_DELAY_FRAMES = 3


@dataclass(frozen=True)
class Bench:
    """What the work on a part needs besides its plan.

    `url` returns where ffmpeg reads the source now; a presigned one ends some day. `on_progress`
    is told how many seconds of the part are encoded.
    """

    ffmpeg: str
    url: Callable[[], str]
    uploads: Uploads
    folder: Path
    clock: Clock
    cancellation: Cancellation
    on_progress: Callable[[float], None]


class NotCopyable(Exception):  # noqa: N818 - says what the source is
    """What looked like a picture to copy is none: everything has to be encoded."""


def encode_part(plan: Plan, index: int, bench: Bench) -> PartFacts:
    """Encode and upload part `index`, needing nothing of its neighbours; `WHOLE` is the rest.

    A second run uploads the same bytes under the same names.

    Raises: what ffmpeg, the uploads or the cancellation raise.
    """
    if index == WHOLE:
        return _encode_whole(plan, bench)
    facts = _encode_part(plan, index, bench, from_beginning=False)
    if not _begins_in_time(plan, index, facts):
        facts = _encode_part(plan, index, bench, from_beginning=True)
    return facts


def _encode_part(plan: Plan, index: int, bench: Bench, *, from_beginning: bool) -> PartFacts:
    part = plan.parts[index]
    numbering = at_cuts(part.first_segment, part.cuts, tolerance=0)
    lanes = {
        rung.name: _Lane(
            rung.name,
            index,
            plan.timescale,
            Segmenter(numbering, offset=part.cuts[0], delay=_DELAY_FRAMES * plan.frame_ticks),
            bench,
        )
        for rung in plan.encoded
    }
    command = part_command(bench.ffmpeg, bench.url(), plan, part, from_beginning=from_beginning)
    return _run(command, lanes, bench)


def _begins_in_time(plan: Plan, index: int, facts: PartFacts) -> bool:
    """Whether the part's first frame is there: a seek without an index may land behind it."""
    starts = [stream.segments[0].start for stream in facts.streams.values()]
    start = plan.parts[index].cuts[0]
    return index == 0 or all(at < start + 2 * plan.frame_ticks for at in starts)


def _encode_whole(plan: Plan, bench: Bench) -> PartFacts:
    lanes = {}
    if plan.source.audio is not None:
        lanes[AUDIO] = _Lane(AUDIO, WHOLE, AUDIO_HZ, Segmenter(each_fragment), bench)
    if plan.copied:
        name, tolerance = plan.copied.name, plan.frame_ticks // 2
        numbering = at_cuts(0, plan.cuts, tolerance)
        lanes[name] = _Lane(name, WHOLE, plan.timescale, Segmenter(numbering), bench)
    if not lanes:
        return PartFacts({})
    facts = _run(whole_command(bench.ffmpeg, bench.url(), plan), lanes, bench)
    if plan.copied:
        lane = lanes[plan.copied.name]
        reason = unfit(plan, facts.streams.get(lane.name), is_open_gop=lane.segmenter.is_open_gop)
        if reason:
            raise NotCopyable(reason)
    return facts


def unfit(plan: Plan, copied: StreamFacts | None, *, is_open_gop: bool) -> str:
    """Return why a copied picture cannot stand beside the encoded ones, empty when it can.

    Segments have to begin where the plan cuts the others, with a picture that needs no other, and
    keep to the rate that a player was promised.
    """
    if copied is None or len(copied.segments) != len(plan.cuts):
        return "key frames are not where the index has them"
    if any(abs(s.start - cut) > 1 for s, cut in zip(copied.segments, plan.cuts, strict=True)):
        return "key frames are not shown when the index says"
    if is_open_gop:
        return "groups of pictures are open"
    segments = timed(copied)
    peak = measure(segments, target_duration_s(segments)).peak
    if plan.copied and peak > plan.copied.bitrate_kbps * 1000 * PEAK:
        return f"its rate reaches {peak} bit/s"
    return ""


def _run(command: list[str], lanes: dict[str, _Lane], bench: Bench) -> PartFacts:
    Ffmpeg(bench.clock).run(
        command,
        bench.folder,
        bench.cancellation,
        bench.on_progress,
        {f"{{{name}}}": lane.take for name, lane in lanes.items()},
    )
    found = {name: lane.finish() for name, lane in lanes.items()}
    return PartFacts({name: facts for name, facts in found.items() if facts.segments})


@dataclass
class _Lane:
    """One stream's way from ffmpeg's output into the bucket."""

    name: str
    part: int
    timescale: int
    segmenter: Segmenter
    bench: Bench
    sent: list[SegmentFacts] = field(default_factory=list)

    def take(self, data: bytes) -> None:
        """Send on every segment that the next bytes complete.

        The one before must be up when the next is past its first fragment, or at once where
        nothing is encoded for long: so ffmpeg ends with no more than its last segment to upload.
        """
        for segment in self.segmenter.feed(data):
            self._send(segment)
        if self.part == WHOLE or self.segmenter.open_fragments > 1:
            self.bench.uploads.settle(self._key, self.bench.cancellation)

    def finish(self) -> StreamFacts:
        """Send the last segment, wait for it, and return what was sent."""
        for segment in self.segmenter.end():
            self._send(segment)
        self.bench.uploads.settle(self._key, self.bench.cancellation)
        return StreamFacts(self.segmenter.init, self.timescale, tuple(self.sent))

    @property
    def _key(self) -> str:
        return f"{self.name} of {self.part}"

    def _send(self, segment: Segment) -> None:
        name = segment_name(self.name, segment.number)
        self.bench.uploads.send(self._key, name, segment.data, self.bench.cancellation)
        self.sent.append(
            SegmentFacts(segment.number, segment.start, segment.duration, len(segment.data))
        )
