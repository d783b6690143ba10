"""The rendition ladder as it crosses from the settings to the video worker: VIDEO_LADDER.

`360:800,720:2500,1080:5000` reads: rungs by the picture's short side in pixels, each with its
video bitrate in kbit/s, ascending.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Rung:
    """One rendition: the short side of its picture (pixels) and its video bitrate (kbit/s)."""

    short_side: int
    bitrate_kbps: int


def format_ladder(rungs: Sequence[Rung]) -> str:
    """Return the value of VIDEO_LADDER that stands for `rungs`."""
    return ",".join(f"{rung.short_side}:{rung.bitrate_kbps}" for rung in sorted(rungs))


def parse_ladder(value: str) -> tuple[Rung, ...]:
    """Return the rungs that a VIDEO_LADDER names, smallest first.

    Raises: ValueError naming the part that is no `<even short side>:<kbit/s>`, or appears twice.
    """
    rungs: list[Rung] = []
    for part in value.split(","):
        side, separator, kbps = part.strip().partition(":")
        if not (separator and side.isdecimal() and kbps.isdecimal()):
            raise ValueError(f"{part!r} must read '<short side>:<kbit/s>', such as '720:2500'")
        rung = Rung(int(side), int(kbps))
        if rung.short_side < 2 or rung.short_side % 2 or rung.bitrate_kbps < 1:
            raise ValueError(f"{part!r}: short side even and at least 2, bitrate at least 1")
        rungs.append(rung)
    if len({rung.short_side for rung in rungs}) < len(rungs):
        raise ValueError(f"{value!r} names a short side twice")
    return tuple(sorted(rungs))
