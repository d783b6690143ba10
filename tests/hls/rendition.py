"""A rendition's bytes: its init segment and its segments, as PyAV reads and decodes them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet

from tests.hls.playlists import Media

_IDR, _SPS, _PPS = 5, 7, 8


@dataclass(frozen=True)
class Sample:
    """A packet. Times are in seconds, exact; `nal_types` are H.264's."""

    pts: Fraction
    dts: Fraction
    duration: Fraction
    is_key: bool
    size_bytes: int
    nal_types: frozenset[int]


@dataclass(frozen=True)
class Track:
    """What the init segment says of a track."""

    kind: str
    codec: str
    size: tuple[int, int]
    tick: Fraction
    channels: int


@dataclass(frozen=True)
class Rendition:
    """A media playlist with the folder that its URIs are relative to."""

    name: str
    folder: Path
    media: Media

    @cached_property
    def init(self) -> bytes:
        """The bytes of the init segment."""
        return (self.folder / self.media.maps[0]).read_bytes()

    @cached_property
    def data(self) -> list[bytes]:
        """The bytes of each segment."""
        return [(self.folder / listed.uri).read_bytes() for listed in self.media.segments]

    @cached_property
    def tracks(self) -> list[Track]:
        """The tracks of the init segment."""
        with av.open(BytesIO(self.init + self.data[0])) as container:
            return [_track(stream) for stream in container.streams]

    @cached_property
    def segments(self) -> list[dict[str, list[Sample]]]:
        """The samples of each segment, read with the init segment alone, by kind of track."""
        return [samples(self.init + data) for data in self.data]

    @cached_property
    def whole(self) -> dict[str, list[Sample]]:
        """The samples of all segments, read as one stream."""
        return samples(self.init + b"".join(self.data))

    def decoded(self, kind: str) -> int:
        """Return how many frames decode of the whole stream, those before an error."""
        with av.open(BytesIO(self.init + b"".join(self.data))) as container:
            return _count(container, kind)


def samples(data: bytes) -> dict[str, list[Sample]]:
    """Return the packets of a stream by kind, in decoding order."""
    found: dict[str, list[Sample]] = {}
    with av.open(BytesIO(data)) as container:
        for packet in container.demux():
            if packet.size and packet.pts is not None and packet.dts is not None:
                found.setdefault(packet.stream.type, []).append(_sample(packet))
    return found


def _sample(packet: Packet) -> Sample:
    base = packet.time_base
    is_video = packet.stream.type == "video"
    return Sample(
        pts=packet.pts * base,
        dts=packet.dts * base,
        duration=(packet.duration or 0) * base,
        is_key=packet.is_keyframe,
        size_bytes=packet.size,
        nal_types=_nal_types(bytes(packet)) if is_video else frozenset(),
    )


def _nal_types(data: bytes) -> frozenset[int]:
    """Return the types of the NAL units of an AVC sample with lengths of four bytes."""
    found, at = set(), 0
    while at + 5 <= len(data):
        found.add(data[at + 4] & 0x1F)
        at += 4 + int.from_bytes(data[at : at + 4], "big")
    return frozenset(found)


def _track(stream: Any) -> Track:
    context, extra = stream.codec_context, bytes(stream.codec_context.extradata or b"")
    is_video = stream.type == "video"
    return Track(
        kind=stream.type,
        codec=_codec(context.name, extra),
        size=(context.width, context.height) if is_video else (0, 0),
        tick=stream.time_base,
        channels=0 if is_video else context.layout.nb_channels,
    )


def _codec(name: str, extra: bytes) -> str:
    """Return the RFC 6381 name by `avcC` (ISO/IEC 14496-15) or AudioSpecificConfig (14496-3)."""
    if name == "h264" and extra[:1] == b"\x01":
        return f"avc1.{extra[1:4].hex()}"
    if name == "aac" and extra:
        return f"mp4a.40.{extra[0] >> 3}"
    return name


def _count(container: InputContainer, kind: str) -> int:
    count = 0
    try:
        for _ in container.decode(**{kind: 0}):
            count += 1
    except FFmpegError:
        return count
    return count
