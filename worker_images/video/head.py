"""The beginning of a file, decoded: what its pictures are like and which tracks can be heard."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from worker_images.video.container import packets
from worker_images.video.source import AudioTrack

#: Enough packets to meet every track, and enough frames to tell fields from frames.
_PACKETS, _FRAMES = 600, 12


@dataclass
class Head:
    """The first frames of the video, and the streams of sound that decoded."""

    frames: list[VideoFrame] = field(default_factory=list)
    heard: set[int] = field(default_factory=set)


def read_head(container: InputContainer, video: VideoStream) -> Head:
    """Decode from the beginning until every track was met, or for 600 packets."""
    head, tracks = Head(), {audio.index for audio in container.streams.audio}
    for packet in islice(packets(container), _PACKETS):
        if packet.stream_index == video.index and len(head.frames) < _FRAMES:
            head.frames += [found for found in _decoded(packet) if isinstance(found, VideoFrame)]
        elif packet.stream_index in tracks - head.heard and _decoded(packet):
            head.heard.add(packet.stream_index)
        if len(head.frames) >= _FRAMES and head.heard == tracks:
            break
    return head


def audio_tracks(container: InputContainer, head: Head) -> tuple[AudioTrack, ...]:
    """Return every track of sound, those that cannot be heard too."""
    return tuple(_track(stream, head) for stream in container.streams.audio)


def decodes_at(container: InputContainer, video: VideoStream, at_s: float) -> bool:
    """Whether a frame comes out near `at_s`."""
    own = (p for p in packets(container, from_s=at_s) if p.stream_index == video.index)
    return any(_decoded(packet) for packet in islice(own, _PACKETS))


def _track(stream: AudioStream, head: Head) -> AudioTrack:
    codec = stream.codec_context
    return AudioTrack(
        stream=stream.index,
        codec=codec.codec.canonical_name if codec is not None else "unknown",
        channels=codec.layout.nb_channels if codec is not None else 0,
        is_default=bool(stream.disposition & stream.disposition.default),
        decodable=stream.index in head.heard,
    )


def _decoded(packet: Packet) -> list[object]:
    try:
        return list(packet.decode())
    except FFmpegError:
        return []
