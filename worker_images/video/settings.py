"""What the video fleet's containers are told besides the common settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from config.contracts import environment as names
from config.contracts.ladder import Rung, parse_ladder
from worker_images.base.errors import ConfigurationError
from worker_images.base.settings import require, whole_number

#: `crf` keeps the quality and caps the bitrate, `abr` aims at the bitrate.
RATE_CONTROLS = ("crf", "abr")


@dataclass(frozen=True)
class VideoSettings:
    """The ladder, smallest rung first, the length of a segment and of a part, the rate control.

    A part is a whole number of segments.
    """

    ladder: tuple[Rung, ...]
    segment_s: int
    part_s: int
    rate_control: str


def load_video_settings(environ: Mapping[str, str]) -> VideoSettings:
    """Return the settings that the environment holds.

    Raises: ConfigurationError naming the variable and what is allowed.
    """
    require(environ, names.VIDEO_FLEET)
    try:
        ladder = parse_ladder(environ["VIDEO_LADDER"])
    except ValueError as error:
        raise ConfigurationError(f"VIDEO_LADDER: {error}") from error
    segment_s = whole_number(environ, "VIDEO_SEGMENT_S", minimum=1)
    part_s = whole_number(environ, "VIDEO_PART_S", minimum=segment_s)
    if part_s % segment_s:
        raise ConfigurationError(
            f"VIDEO_PART_S={part_s} must be a multiple of VIDEO_SEGMENT_S={segment_s}"
        )
    rate_control = environ["VIDEO_RATE_CONTROL"]
    if rate_control not in RATE_CONTROLS:
        raise ConfigurationError(
            f"VIDEO_RATE_CONTROL={rate_control!r} must be one of {', '.join(RATE_CONTROLS)}"
        )
    return VideoSettings(ladder, segment_s, part_s, rate_control)
