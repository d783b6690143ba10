"""The master playlist. ffmpeg's own leaves the audio out of BANDWIDTH, so we write it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from config.contracts.storage_keys import MEDIA_PLAYLIST
from worker_images.video.boxes import codec
from worker_images.video.commands import AUDIO
from worker_images.video.facts import StreamFacts
from worker_images.video.ladder import Rendition
from worker_images.video.playlist import Rates, measure, target_duration_s, timed


def master_playlist(
    ladder: Sequence[Rendition], fps: Fraction, streams: Mapping[str, StreamFacts]
) -> str:
    """Return the text of the master playlist, the smallest rendition first.

    The audio is a rendition of its own that every picture plays with: encoded once, stored once,
    and its bytes count in each BANDWIDTH.
    """
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    audio = streams.get(AUDIO)
    if audio is not None:
        lines.append(
            f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{AUDIO}",NAME="{AUDIO}",DEFAULT=YES,'
            f'AUTOSELECT=YES,CHANNELS="2",URI="{AUDIO}/{MEDIA_PLAYLIST}"'
        )
    for rung in ladder:
        picture = streams[rung.name]
        rates, codecs = _rates(picture), codec(picture.init)
        if audio is not None:
            rates, codecs = rates + _rates(audio), f"{codecs},{codec(audio.init)}"
        lines += [
            f"#EXT-X-STREAM-INF:BANDWIDTH={rates.peak},AVERAGE-BANDWIDTH={rates.average},"
            f'CODECS="{codecs}",RESOLUTION={rung.width}x{rung.height},'
            f"FRAME-RATE={float(fps):.3f}" + (f',AUDIO="{AUDIO}"' if audio is not None else ""),
            f"{rung.name}/{MEDIA_PLAYLIST}",
        ]
    return "\n".join([*lines, ""])


def _rates(stream: StreamFacts) -> Rates:
    segments = timed(stream)
    return measure(segments, target_duration_s(segments))
