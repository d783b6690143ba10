"""What the video fleet's containers are told besides the common settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from config.contracts import environment as names
from config.contracts.ladder import Rung, parse_ladder
from worker_images.base.errors import ConfigurationError
from worker_images.base.settings import require, whole_number


@dataclass(frozen=True)
class VideoSettings:
    """The ladder, smallest rung first, and the length of a segment."""

    ladder: tuple[Rung, ...]
    segment_s: int


def load_video_settings(environ: Mapping[str, str]) -> VideoSettings:
    """Return the settings that the environment holds.

    Raises: ConfigurationError naming the variable and what is allowed.
    """
    require(environ, names.VIDEO_FLEET)
    try:
        ladder = parse_ladder(environ["VIDEO_LADDER"])
    except ValueError as error:
        raise ConfigurationError(f"VIDEO_LADDER: {error}") from error
    return VideoSettings(ladder, whole_number(environ, "VIDEO_SEGMENT_S", minimum=1))
