"""How a source becomes parts, segments and renditions: decided once, before any work. Pure."""

from __future__ import annotations

import hashlib
import json
import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

from worker_images.video.copying import ROUNDED_S, fits
from worker_images.video.ladder import Rendition, renditions
from worker_images.video.settings import VideoSettings
from worker_images.video.source import Source

#: Names the recipe: parts of another one are of no use to this code.
_RECIPE = 1
#: A tick is at most 1/90000 s, and a frame a whole number of ticks.
_MIN_TIMESCALE = 90_000
#: Longest distance of key frames, so that a seek waits for little.
KEY_FRAME_S = 2
#: A part whose seek lands on a key frame far before it decodes all from there.
_GOPS_OF_A_PART = 2


@dataclass(frozen=True)
class Part:
    """Segments that are encoded together, needing nothing of their neighbours.

    `cuts` are where they begin, in ticks from the source's start; `end` is where the part does,
    None for the last: it takes what there is.
    """

    index: int
    first_segment: int
    cuts: tuple[int, ...]
    end: int | None


@dataclass(frozen=True)
class Plan:
    """Everything that the bytes of the output depend on. `cuts` begin the segments, in ticks.

    `copied` is the rendition whose picture is the source's own, `encoded` are the others.
    """

    source: Source
    ladder: tuple[Rendition, ...]
    copied: Rendition | None
    timescale: int
    cuts: tuple[int, ...]
    parts: tuple[Part, ...]
    segment_s: int
    rate_control: str
    digest: str

    @property
    def encoded(self) -> tuple[Rendition, ...]:
        """The renditions that parts are made of."""
        return tuple(rung for rung in self.ladder if rung != self.copied)

    @property
    def end(self) -> int | None:
        """The tick at which frames that are placed anew end; others end by themselves."""
        if not self.source.is_vfr:
            return None
        return self.source.placed_frames * self.frame_ticks

    @property
    def frame_ticks(self) -> int:
        """How long a frame is shown."""
        return round(self.timescale / self.source.fps)


def make_plan(
    source: Source, settings: VideoSettings, *, etag: str, key_frames_s: Sequence[float]
) -> Plan:
    """Return the plan of a source.

    `key_frames_s` is when each key frame of it is shown, nothing when that is unknown or when the
    source is not to be copied.
    """
    ladder = renditions(settings.ladder, width=source.width, height=source.height)
    copied = ladder[-1] if key_frames_s and fits(source, ladder[-1], settings.segment_s) else None
    timescale = _timescale(source)
    if copied:
        cuts = _at_key_frames(source, key_frames_s, settings.segment_s, timescale)
    else:
        count = max(1, math.ceil(round(source.video_end_s / settings.segment_s, 3)))
        cuts = tuple(number * settings.segment_s * timescale for number in range(count))
    parts = _parts(cuts, _part_s(source, settings) * timescale)
    recipe = [_RECIPE, etag, asdict(source), asdict(settings), bool(copied), cuts]
    text = json.dumps(recipe, default=str, sort_keys=True)
    return Plan(
        source=source,
        ladder=ladder,
        copied=copied,
        timescale=timescale,
        cuts=cuts,
        parts=parts if ladder[:-1] or not copied else (),
        segment_s=settings.segment_s,
        rate_control=settings.rate_control,
        digest=hashlib.sha256(text.encode()).hexdigest(),
    )


def key_frame_times_s(plan: Plan, part: Part) -> list[float]:
    """Return when key frames are forced, in seconds from the part's own start.

    Rounded down to the microsecond that ffmpeg counts in: the frame itself is not earlier.
    """
    step, times = KEY_FRAME_S * plan.timescale, []
    ends = [*part.cuts[1:], part.end or part.cuts[-1] + plan.segment_s * plan.timescale]
    for start, end in zip(part.cuts, ends, strict=True):
        count = max(1, (end - start) // step)
        spread = range(start, end, max(1, -(-(end - start) // count)))
        times += [math.floor((at - part.cuts[0]) * 1_000_000 / plan.timescale) for at in spread]
    return [micros / 1_000_000 for micros in times]


def _timescale(source: Source) -> int:
    rate = source.fps.numerator
    return rate * -(-_MIN_TIMESCALE // rate)


def _at_key_frames(
    source: Source, key_frames_s: Sequence[float], segment_s: int, timescale: int
) -> tuple[int, ...]:
    """Return the cuts: as many whole groups of pictures as last no longer than a segment."""
    times = [round(at * timescale) for at in (*key_frames_s, source.video_end_s)]
    cuts, longest = [times[0]], (segment_s + ROUNDED_S) * timescale
    for at, following in pairwise(times[1:]):
        if following - cuts[-1] > longest:
            cuts.append(at)
    return tuple(cuts)


def _part_s(source: Source, settings: VideoSettings) -> int:
    """Return the length of a part, longer where a seek would decode much of the part before."""
    wanted_s = max(settings.part_s, _GOPS_OF_A_PART * (source.gop_max_s or 0))
    return settings.segment_s * math.ceil(wanted_s / settings.segment_s)


def _parts(cuts: Sequence[int], length: int) -> tuple[Part, ...]:
    firsts = [0]
    while (after := bisect_left(cuts, cuts[firsts[-1]] + length)) < len(cuts):
        firsts.append(after)
    ends = [*firsts[1:], len(cuts)]
    return tuple(
        Part(
            index=index,
            first_segment=first,
            cuts=tuple(cuts[first:end]),
            end=cuts[end] if end < len(cuts) else None,
        )
        for index, (first, end) in enumerate(zip(firsts, ends, strict=True))
    )
