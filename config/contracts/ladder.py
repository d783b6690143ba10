"""The rendition ladder as it crosses from the settings to the video worker: VIDEO_LADDER.

`360:800:20,720:2500:22,1080:5000:23` reads: rungs by the picture's short side in pixels, each with
its video bitrate in kbit/s and its constant rate factor, ascending.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Rung:
    """One rendition: the short side of its picture (pixels) and its video bitrate (kbit/s).

    `crf` is x264's constant rate factor: lower is better and larger. A small picture wants a lower
    one, since a viewer scales its faults up with it.
    """

    short_side: int
    bitrate_kbps: int
    crf: int = 23


def format_ladder(rungs: Sequence[Rung]) -> str:
    """Return the value of VIDEO_LADDER that stands for `rungs`."""
    return ",".join(f"{rung.short_side}:{rung.bitrate_kbps}:{rung.crf}" for rung in sorted(rungs))


def parse_ladder(value: str) -> tuple[Rung, ...]:
    """Return the rungs that a VIDEO_LADDER names, smallest first.

    A crf that is left out is 23, x264's own. Raises: ValueError naming the part that is no
    `<even short side>:<kbit/s>:<crf>`, or appears twice.
    """
    rungs: list[Rung] = []
    for part in value.split(","):
        numbers = part.strip().split(":")
        if len(numbers) not in (2, 3) or not all(number.isdecimal() for number in numbers):
            raise ValueError(f"{part!r} must read '<short side>:<kbit/s>:<crf>', as '720:2500:22'")
        rung = Rung(*map(int, numbers))
        if rung.short_side < 2 or rung.short_side % 2 or rung.bitrate_kbps < 1 or rung.crf > 51:
            raise ValueError(
                f"{part!r}: short side even and at least 2, bitrate at least 1, crf at most 51"
            )
        rungs.append(rung)
    if len({rung.short_side for rung in rungs}) < len(rungs):
        raise ValueError(f"{value!r} names a short side twice")
    return tuple(sorted(rungs))
