"""The master playlist. ffmpeg's own leaves the audio out of BANDWIDTH, so we write it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from config.contracts.storage_keys import MEDIA_PLAYLIST
from worker_images.video.ladder import Rendition
from worker_images.video.playlist import Rates

_AAC_LC = "mp4a.40.2"


@dataclass(frozen=True)
class Variant:
    """A finished rendition. `codecs` as in RFC 6381, such as `avc1.640028,mp4a.40.2`."""

    rendition: Rendition
    rates: Rates
    codecs: str


def master_playlist(variants: Sequence[Variant], fps: float) -> str:
    """Return the text of the master playlist, the smallest rendition first."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for variant in sorted(variants, key=lambda found: found.rendition.number):
        rendition, rates = variant.rendition, variant.rates
        lines += [
            f"#EXT-X-STREAM-INF:BANDWIDTH={rates.peak},AVERAGE-BANDWIDTH={rates.average},"
            f"RESOLUTION={rendition.width}x{rendition.height},FRAME-RATE={fps:.3f},"
            f'CODECS="{variant.codecs}"',
            f"{rendition.name}/{MEDIA_PLAYLIST}",
        ]
    return "\n".join(lines) + "\n"


def codecs(init_segment: bytes, *, has_audio: bool) -> str:
    """Return the CODECS of a rendition from its init segment.

    The three bytes after the version in the `avcC` box are profile, constraints and level
    (ISO/IEC 14496-15, 5.3.3.1). Raises: ValueError when there is no such box.
    """
    at = init_segment.find(b"avcC")
    if at < 0:
        raise ValueError("init segment without an avcC box")
    video = f"avc1.{init_segment[at + 5 : at + 8].hex()}"
    return f"{video},{_AAC_LC}" if has_audio else video
