"""The constant frame rate that a source's output gets. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

#: Viewers see no gain above it, and every frame costs.
MAX_FPS = Fraction(60)
#: A segment needs frames: slides at a frame every ten seconds are shown at one a second.
MIN_FPS = Fraction(1)
STANDARD = tuple(
    sorted(Fraction(n) for n in (1, 2, 3, 5, 6, 8, 10, 12, 15, 20, 24, 25, 30, 48, 50, 60))
) + tuple(Fraction(n * 1000, 1001) for n in (24, 30, 60))
#: Cameras jitter, and Matroska and FLV round to a millisecond.
_JITTER_SHARE, _JITTER_S = 0.15, 0.0015
#: A little more than a tick of 1/90000 s, in which many containers count.
_EXACT_S = 0.000_015
#: Of the intervals, the one that tells the rate of a variable source: its motion, not its pauses.
_MOTION_QUANTILE = 0.1
_NEARLY = 0.03


@dataclass(frozen=True)
class Timing:
    """The output's frame rate; `is_vfr` when the source's frames do not come exactly at it."""

    fps: Fraction
    is_vfr: bool


def timing(intervals_s: Sequence[float], average: Fraction, duration_s: float) -> Timing:
    """Return the frame rate for a source.

    `intervals_s` lie between its frames, in order, all of them or a sample; `average` is what
    the container says. A regular source keeps its rate, one above 60 an integer share of it.
    """
    steps = sorted(step for step in intervals_s if step > 0)
    if not steps:
        return Timing(min(max(average, MIN_FPS), MAX_FPS), is_vfr=True)
    if not _come_at(average, steps, _JITTER_SHARE / float(average), _JITTER_S):
        return Timing(_of_motion(1 / steps[int(len(steps) * _MOTION_QUANTILE)]), is_vfr=True)
    fps = _named(average, duration_s)
    shown = max(_named(fps / -(-fps // MAX_FPS), duration_s), MIN_FPS)
    return Timing(shown, is_vfr=not _come_at(shown, steps, _EXACT_S))


def _come_at(fps: Fraction, steps: Sequence[float], *tolerances_s: float) -> bool:
    """Whether all intervals, sorted, are that of a rate within the largest tolerance."""
    step_s = 1 / float(fps)
    return all(abs(step - step_s) <= max(tolerances_s) for step in (steps[0], steps[-1]))


def _named(fps: Fraction, duration_s: float) -> Fraction:
    """Return the standard rate that loses no frame over the duration, or the rate itself."""
    nearest = min(STANDARD, key=lambda rate: abs(rate - fps))
    if abs(nearest - fps) * duration_s < Fraction(1, 2):
        return nearest
    return fps.limit_denominator(1001)


def _of_motion(rate: float) -> Fraction:
    """Return the standard rate that it is nearly, else the next one above, at most 60."""
    nearest = min(STANDARD, key=lambda each: abs(each - rate))
    if abs(nearest - rate) <= _NEARLY * rate:
        return nearest
    return min((each for each in STANDARD if each >= rate), default=MAX_FPS)
