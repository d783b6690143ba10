"""Whether a source's own pictures can be the top rendition, which halves the CPU. Pure."""

from __future__ import annotations

from worker_images.video.ladder import Rendition
from worker_images.video.source import Source

#: What every browser and television plays.
_PROFILES = ("Baseline", "Constrained Baseline", "Main", "High")
#: A group of pictures this much longer than the segment still rounds to it in EXTINF.
ROUNDED_S = 0.4
#: The rate over one segment may be so many times the bitrate: what the encoder's buffer allows.
PEAK = 1.5


def fits(source: Source, rung: Rendition, segment_s: int) -> bool:
    """Whether a source already is what the encoder would make of it for `rung`."""
    longest_s = segment_s + ROUNDED_S
    return (
        _is_same_picture(source, rung)
        and (source.codec, source.pixel_format) == ("h264", "yuv420p")
        and source.profile in _PROFILES
        and source.container.startswith("mov")
        and source.video_bps <= rung.bitrate_kbps * 1000
        and source.gop_max_s is not None
        and source.gop_max_s <= longest_s
    )


def _is_same_picture(source: Source, rung: Rendition) -> bool:
    """Whether showing the source's frames as they are needs nothing done to them."""
    return (
        (source.width, source.height) == (rung.width, rung.height)
        and source.rotation == 0
        and source.square_pixels
        and not source.interlaced
        and not source.is_vfr
        and source.hdr is None
        and not source.full_range
    )
