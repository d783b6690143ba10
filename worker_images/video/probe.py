"""What an uploaded file is, before any work is put into it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from worker_images.base.errors import Permanent

_RETRY = "파일을 확인한 뒤 다시 업로드해 주세요."
EMPTY_FILE = ("EMPTY_FILE", f"업로드된 파일이 비어 있습니다. {_RETRY}")
NOT_A_VIDEO = ("NOT_A_VIDEO", f"동영상 파일이 아니거나 지원하지 않는 형식입니다. {_RETRY}")
NO_VIDEO_STREAM = ("NO_VIDEO_STREAM", f"파일에 영상 화면이 없습니다(소리만 있음). {_RETRY}")
TRUNCATED = ("TRUNCATED", f"동영상 파일이 중간에 잘려 있습니다. {_RETRY}")
UNREADABLE = ("UNREADABLE", f"동영상 파일이 손상되어 재생할 수 없습니다. {_RETRY}")

#: A file may end this much before the duration it announces (audio padding, rounding).
_MISSING_S = 2.0
#: Where the look at the file's end begins.
_TAIL_S = 10.0
_STILL_FORMATS = ("image2", "tty", "gif")


@dataclass(frozen=True)
class Source:
    """A readable video. Sizes are as shown: rotated, in square pixels."""

    duration_s: float
    width: int
    height: int
    fps: float
    has_audio: bool
    video_stream: int


def probe(path: Path) -> Source:
    """Return what a file holds.

    Raises: Permanent with a code and a Korean sentence for a file that no retry will read.
    """
    if path.stat().st_size == 0:
        raise Permanent(*EMPTY_FILE)
    try:
        with av.open(str(path)) as container:
            return _describe(container)
    except FFmpegError as error:
        reason = TRUNCATED if _is_headless(path) else NOT_A_VIDEO
        raise Permanent(*reason) from error


def _describe(container: InputContainer) -> Source:
    if container.format.name.endswith("_pipe") or container.format.name in _STILL_FORMATS:
        raise Permanent(*NOT_A_VIDEO)
    stream = _video_stream(container)
    frame = _first_frame(container, stream)
    width, height = _shown_size(frame, stream)
    duration_s = _duration_s(container, stream)
    rate = stream.average_rate or stream.guessed_rate or Fraction(30)
    return Source(
        duration_s=duration_s,
        width=width,
        height=height,
        fps=float(rate),
        has_audio=any(audio.codec_context is not None for audio in container.streams.audio),
        video_stream=stream.index,
    )


def _video_stream(container: InputContainer) -> VideoStream:
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            return stream
    raise Permanent(*(NO_VIDEO_STREAM if container.streams.audio else NOT_A_VIDEO))


def _first_frame(container: InputContainer, stream: VideoStream) -> VideoFrame:
    try:
        for frame in container.decode(stream):
            return frame
    except FFmpegError as error:
        raise Permanent(*UNREADABLE) from error
    raise Permanent(*UNREADABLE)


def _shown_size(frame: VideoFrame, stream: VideoStream) -> tuple[int, int]:
    """Return the size after the sample aspect ratio and the display rotation."""
    aspect = stream.sample_aspect_ratio or Fraction(1)
    width, height = round(frame.width * aspect), frame.height
    return (height, width) if frame.rotation % 180 else (width, height)


def _duration_s(container: InputContainer, stream: VideoStream) -> float:
    """Return the duration after a look at the file's end; a live recording's is found there.

    Reads packets, decodes nothing.
    """
    announced_s = container.duration / av.time_base if container.duration else None
    start_s = container.start_time / av.time_base if container.start_time else 0.0
    from_s = max(0.0, start_s + (announced_s or 0.0) - _TAIL_S)
    container.seek(round(from_s * av.time_base), backward=True)
    last_s = _last_packet_end_s(container) - start_s
    if announced_s is None:
        return max(last_s, 0.0)
    if last_s < announced_s - _MISSING_S and last_s < announced_s * 0.98:
        raise Permanent(*TRUNCATED)
    return announced_s


def _last_packet_end_s(container: InputContainer) -> float:
    end_s = 0.0
    try:
        for packet in container.demux():
            if packet.pts is None or packet.time_base is None or packet.is_corrupt:
                continue
            end_s = max(end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    except FFmpegError:
        return end_s
    return end_s


def _is_headless(path: Path) -> bool:
    """Whether this begins as an MP4: what cannot be opened then lacks its index, at the end."""
    with path.open("rb") as file:
        return file.read(12)[4:8] == b"ftyp"
