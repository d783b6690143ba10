"""Which renditions a source gets, and how large their pictures are. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from config.contracts.ladder import Rung


@dataclass(frozen=True)
class Rendition:
    """One rung for one source. `number` is N of `vN`, 1 the smallest; sizes are even pixels."""

    number: int
    width: int
    height: int
    bitrate_kbps: int
    crf: int

    @property
    def name(self) -> str:
        """The rendition's folder."""
        return f"v{self.number}"


def renditions(rungs: Sequence[Rung], *, width: int, height: int) -> tuple[Rendition, ...]:
    """Return the renditions of a picture that is shown at `width` by `height` square pixels.

    A rung's size is the picture's short side, so that a portrait keeps its aspect. No rung is
    larger than the source; a source below the smallest rung gets one at its own size.
    """
    short_side = min(width, height)
    fitting = [rung for rung in sorted(rungs) if rung.short_side <= short_side]
    chosen = fitting or [replace(min(rungs), short_side=_even_floor(short_side))]
    return tuple(
        Rendition(number, *_scaled(width, height, rung.short_side), rung.bitrate_kbps, rung.crf)
        for number, rung in enumerate(chosen, start=1)
    )


def _scaled(width: int, height: int, short_side: int) -> tuple[int, int]:
    """Return the size with that short side; the other side is even and nearest in aspect."""
    long_source, short_source = max(width, height), min(width, height)
    nearest = _even_round(long_source * short_side / short_source)
    long_side = min(nearest, _even_floor(long_source))
    return (short_side, long_side) if width <= height else (long_side, short_side)


def _even_floor(pixels: int) -> int:
    return max(2, pixels - pixels % 2)


def _even_round(pixels: float) -> int:
    return max(2, 2 * round(pixels / 2))
