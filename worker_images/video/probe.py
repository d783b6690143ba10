"""Whether an uploaded file can be encoded, and what it is, before any work is put into it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from worker_images.base.errors import Permanent
from worker_images.video import container as media
from worker_images.video.head import Head, audio_tracks, decodes_at, read_head
from worker_images.video.joined import is_joined
from worker_images.video.remote import LIMIT_S, open_source
from worker_images.video.source import UNSEEN_S, Source
from worker_images.video.timing import timing

_RETRY = "파일을 확인한 뒤 다시 업로드해 주세요."
EMPTY_FILE = ("EMPTY_FILE", f"업로드된 파일이 비어 있습니다. {_RETRY}")
NOT_A_VIDEO = ("NOT_A_VIDEO", f"동영상 파일이 아니거나 지원하지 않는 형식입니다. {_RETRY}")
NO_VIDEO_STREAM = ("NO_VIDEO_STREAM", f"파일에 영상 화면이 없습니다(소리만 있음). {_RETRY}")
UNKNOWN_CODEC = (
    "UNKNOWN_CODEC",
    "지원하지 않는 압축 방식(코덱)의 영상입니다. MP4(H.264)로 저장한 뒤 다시 업로드해 주세요.",
)
TRUNCATED = ("TRUNCATED", f"동영상 파일이 중간에 잘려 있습니다. {_RETRY}")
JOINED = (
    "JOINED",
    "여러 녹화 파일을 변환 없이 이어 붙인 영상입니다. "
    "파일을 하나씩 올리거나 MP4로 변환한 뒤 다시 업로드해 주세요.",
)
UNREADABLE = ("UNREADABLE", f"동영상 파일이 손상되어 재생할 수 없습니다. {_RETRY}")

#: A file may end this much before the duration it announces (audio padding, rounding).
_MISSING_S, _MISSING_SHARE = 2.0, 0.02
#: How far from the end the look at it begins.
_TAIL_S = 10.0
#: A single picture may announce no duration at all.
_SHORTEST_S = 0.04
#: Besides the beginning, a frame must decode at these shares of the duration.
_SPOTS = (0.5, 0.9)
#: Sound may go on so long after the last picture before that is held for it.
_UNSHOWN_S = 0.1
_JPEG_RANGE = 2


def probe(location: str | Path, *, limit_s: float = LIMIT_S) -> Source:
    """Return what a source, a URL or a path, holds.

    Raises: Permanent with a code and a Korean sentence for a file that no retry will read;
    Retryable when it could not be read within `limit_s`.
    """
    with open_source(location, limit_s=limit_s) as file:
        first, size_bytes = file.read(12), file.seek(0, 2)
    if not first:
        raise Permanent(*EMPTY_FILE)
    try:
        with media.open_container(location, limit_s=limit_s) as container:
            source = _describe(container, size_bytes)
            start_s = media.start_s(container)
    except FFmpegError as error:
        # What begins as an MP4 and cannot be opened lacks its index, which lies at the end.
        reason = TRUNCATED if first[4:8] == b"ftyp" else NOT_A_VIDEO
        raise Permanent(*reason) from error
    if is_joined(location, source.container, start_s=start_s, duration_s=source.duration_s):
        raise Permanent(*JOINED)
    return source


def _describe(container: InputContainer, size_bytes: int) -> Source:
    stream = media.video_stream(container)
    if stream is None:
        raise Permanent(*(NO_VIDEO_STREAM if container.streams.audio else NOT_A_VIDEO))
    if stream.codec_context is None:
        raise Permanent(*UNKNOWN_CODEC)
    head = read_head(container, stream)
    ends = _ends(container, stream, head)
    spots = [decodes_at(container, stream, ends.video_s * share) for share in _SPOTS]
    # Without an index a seek may land behind the last key frame of a file that is whole.
    needed = all if media.names_every_frame(container, stream) else any
    if not head.frames or not needed(spots):
        raise Permanent(*UNREADABLE)
    keys = media.key_frame_times(container, stream)
    gaps = [after - before for before, after in pairwise((*keys, ends.video_s))]
    return Source(
        duration_s=ends.file_s,
        container=container.format.name,
        video_bps=stream.bit_rate or round(size_bytes * 8 / ends.file_s),
        gop_max_s=max(gaps, default=None),
        size_bytes=size_bytes,
        audio_tracks=audio_tracks(container, head),
        **_timing(container, stream, head, ends),
        **_picture(stream, head),
    )


def _timing(
    container: InputContainer, stream: VideoStream, head: Head, ends: _Ends
) -> dict[str, Any]:
    """Return the fields of `Source` that say when its pictures are shown."""
    rate = stream.average_rate or stream.guessed_rate or Fraction(30)
    found = timing(media.intervals_s(container, stream), rate, ends.video_s)
    start_s = max(0.0, (head.frames[0].time or 0.0) - media.start_s(container))
    is_held = ends.sound_s - ends.video_s > _UNSHOWN_S
    is_exact = media.names_every_frame(container, stream) and not found.is_vfr
    return {
        "video_start_s": start_s,
        "video_end_s": ends.sound_s if is_held else ends.video_s,
        "fps": found.fps,
        "is_vfr": is_held or start_s > UNSEEN_S or not is_exact,
    }


def _picture(stream: VideoStream, head: Head) -> dict[str, Any]:
    """Return the fields of `Source` that say what the pictures are like."""
    frame, codec = head.frames[0], stream.codec_context
    aspect = stream.sample_aspect_ratio or Fraction(1)
    return {
        **_shown_size(frame, aspect),
        "rotation": frame.rotation % 360,
        "square_pixels": aspect == 1,
        "video_stream": stream.index,
        "codec": codec.codec.canonical_name,
        "profile": codec.profile or "",
        "pixel_format": frame.format.name,
        "bit_depth": max(component.bits for component in frame.format.components),
        "interlaced": any(each.interlaced_frame for each in head.frames),
        "transfer": int(frame.color_trc),
        "matrix": int(frame.colorspace),
        "primaries": int(frame.color_primaries),
        "full_range": frame.color_range == _JPEG_RANGE or frame.format.name.startswith("yuvj"),
    }


def _shown_size(frame: VideoFrame, aspect: Fraction) -> dict[str, int]:
    """Return the size after the sample aspect ratio and the display rotation."""
    width, height = round(frame.width * aspect), frame.height
    if frame.rotation % 180:
        width, height = height, width
    return {"width": width, "height": height}


@dataclass(frozen=True)
class _Ends:
    """When the file, its pictures and what is heard end, in seconds."""

    file_s: float
    video_s: float
    sound_s: float


def _ends(container: InputContainer, stream: VideoStream, head: Head) -> _Ends:
    """Return the ends after a look at the last packets.

    A live recording announces no duration: it is found there. Raises: Permanent for a file that
    ends well before the duration it announces.
    """
    announced_s = container.duration / av.time_base if container.duration else None
    ends = _last_packets_s(container, max(0.0, (announced_s or 0.0) - _TAIL_S))
    last_s, video_s = max(ends.values(), default=0.0), ends.get(stream.index, 0.0)
    file_s = max(last_s if announced_s is None else announced_s, _SHORTEST_S)
    missing_s = file_s - last_s
    if missing_s > _MISSING_S and missing_s > file_s * _MISSING_SHARE:
        raise Permanent(*TRUNCATED)
    sound_s = max((ends[number] for number in head.heard if number in ends), default=0.0)
    return _Ends(file_s, min(video_s, file_s) if video_s > 0 else file_s, sound_s)


def _last_packets_s(container: InputContainer, from_s: float) -> dict[int, float]:
    """Return when the last packet of each stream ends, from those behind `from_s`."""
    ends: dict[int, float] = {}
    for packet in media.packets(container, from_s=from_s):
        shown_s = media.shown_s(packet)
        if shown_s is not None:
            end_s = shown_s + float((packet.duration or 0) * packet.time_base)
            end_s -= media.start_s(container)
            ends[packet.stream_index] = max(ends.get(packet.stream_index, 0.0), end_s)
    return ends
