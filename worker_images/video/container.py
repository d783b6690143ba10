"""An uploaded file as libav opens it, and where its frames lie, without decoding any."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice, pairwise
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream

from worker_images.video.remote import LIMIT_S, RemoteFile, is_remote, open_source

#: The only containers that are opened, by libav's names. A playlist or a script (HLS, DASH,
#: concat) would have the worker open whatever address it names.
FORMATS = "mov,matroska,avi,mpegts,mpeg,flv,asf,ogg,mxf,wtv,mp3,wav,flac,aac"
#: Where the index does not name every frame, so many packets stand for all.
_SAMPLE_PACKETS = 600


def input_arguments(location: str | Path) -> list[str]:
    """Return ffmpeg's `-i` for a source, with what it may open and how long it waits.

    A transfer that breaks off goes on from where it was; one that stays away for half a minute
    is an error and never a short file.
    """
    allowed = ["-format_whitelist", FORMATS, "-protocol_whitelist", "file,http,https,tcp,tls"]
    if not is_remote(location):
        return [*allowed, "-i", str(location)]
    return [
        *(*allowed, "-rw_timeout", "30000000", "-reconnect", "1", "-reconnect_delay_max", "15"),
        *("-reconnect_on_network_error", "1", "-reconnect_on_http_error", "429,5xx"),
        *("-i", str(location)),
    ]


@contextmanager
def open_container(location: str | Path, *, limit_s: float = LIMIT_S) -> Iterator[InputContainer]:
    """Open a source, a URL or a path, for reading.

    Raises: FFmpegError for what is no such file; Permanent without an object; Retryable when the
    object was not read in full, whatever was concluded from it.
    """
    with open_source(location, limit_s=limit_s) as file:
        try:
            options = {"format_whitelist": FORMATS}
            with av.open(file, options=options, metadata_errors="replace") as container:
                yield container
        finally:
            if isinstance(file, RemoteFile) and file.failure is not None:
                raise file.failure


def video_stream(container: InputContainer) -> VideoStream | None:
    """Return the stream of pictures; a cover (an attached picture) is none."""
    cover = av.stream.Disposition.attached_pic
    found = (stream for stream in container.streams.video if not stream.disposition & cover)
    return next(found, None)


def start_s(container: InputContainer) -> float:
    """Return the time stamp that ffmpeg's output counts from."""
    return container.start_time / av.time_base if container.start_time else 0.0


def packets(container: InputContainer, *, from_s: float = 0.0) -> Iterator[Packet]:
    """Yield what can be read from the last key frame before `from_s` on; damage ends it."""
    try:
        container.seek(round((start_s(container) + from_s) * av.time_base), backward=True)
        for packet in container.demux():
            if packet.size and not packet.is_corrupt:
                yield packet
    except FFmpegError:
        return


def shown_s(packet: Packet) -> float | None:
    """Return when a packet is shown, by its own time stamp."""
    stamp = packet.pts if packet.pts is not None else packet.dts
    return None if stamp is None else float(stamp * packet.time_base)


def names_every_frame(container: InputContainer, stream: VideoStream) -> bool:
    """Whether the index does: MP4's, unless the file is in fragments.

    Matroska's names some key frames, AVI's has no times.
    """
    is_mp4 = container.format.name.startswith("mov")
    return is_mp4 and 0 < stream.frames <= len(stream.index_entries)


def intervals_s(container: InputContainer, stream: VideoStream) -> list[float]:
    """Return the seconds between frames: of all from the index, else of the first ones."""
    if names_every_frame(container, stream):
        entries = (entry for entry in stream.index_entries if not entry.is_discard)
        times = [float(entry.timestamp * stream.time_base) for entry in entries]
    else:
        own = (packet for packet in packets(container) if packet.stream_index == stream.index)
        found = map(shown_s, islice(own, _SAMPLE_PACKETS))
        times = sorted(time for time in found if time is not None)
    return [after - before for before, after in pairwise(times)]


def key_frame_times(container: InputContainer, stream: VideoStream) -> tuple[float, ...]:
    """Return when each key frame is shown, in seconds; nothing where the index does not say.

    Exact at a constant frame rate: the index holds decoding times, and as no frame crosses a sync
    sample of MP4, those stand apart from the times shown by one constant.
    """
    first = next((p for p in packets(container) if p.stream_index == stream.index), None)
    if first is None or first.pts is None or not names_every_frame(container, stream):
        return ()
    shown_after = first.pts - (first.dts if first.dts is not None else first.pts)
    from_s = start_s(container)
    return tuple(
        float((entry.timestamp + shown_after) * stream.time_base) - from_s
        for entry in stream.index_entries
        if entry.is_keyframe and not entry.is_discard
    )


def keyframes(location: str | Path) -> tuple[float, ...]:
    """Return the same for a file that is not open yet."""
    with open_container(location) as container:
        stream = video_stream(container)
        return () if stream is None else key_frame_times(container, stream)
