"""The pictures around a video: its poster, and the thumbnails above a player's seek bar."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from config.contracts import storage_keys
from worker_images.base.cancellation import Cancellation
from worker_images.base.clock import SystemClock
from worker_images.base.logging import logger
from worker_images.video.container import input_arguments
from worker_images.video.ffmpeg import Ffmpeg
from worker_images.video.picture import color_filters
from worker_images.video.source import Source

_log = logger("sprite")
_POSTER_WIDTH = 640
#: The longer side of a thumbnail, in pixels.
_CELL = 160
_COLUMNS = _ROWS = 10
#: A thumbnail each ten seconds, up to ten pages of them; a longer video gets them farther apart.
_INTERVAL_S = 10.0
_MOST = 10 * _COLUMNS * _ROWS

#: Of three hours, 2 CPU s: 6 where the demuxer hands on every packet, 16 where the decoder also
#: starts threads that have nothing to share.
_KEY_FRAMES = ("-threads", "1", "-discard", "nokey", "-skip_frame", "nokey")


@dataclass(frozen=True)
class Sheet:
    """How thumbnails lie on their pages: `count` in all, one for each `interval_s` seconds."""

    count: int
    interval_s: float
    duration_s: float
    width: int
    height: int

    @property
    def columns(self) -> int:
        """A sheet of less than a row is no wider than it needs."""
        return min(self.count, _COLUMNS)

    @property
    def rows(self) -> int:
        """The same for its height."""
        return min(math.ceil(self.count / _COLUMNS), _ROWS)

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return math.ceil(self.count / (self.columns * self.rows))


def sheet(source: Source) -> Sheet:
    """Return the layout of a source's thumbnails."""
    interval_s = max(_INTERVAL_S, source.duration_s / _MOST)
    share = _CELL / max(source.width, source.height)
    return Sheet(
        count=max(1, math.ceil(round(source.duration_s / interval_s, 3))),
        interval_s=interval_s,
        duration_s=source.duration_s,
        width=_even(source.width * share),
        height=_even(source.height * share),
    )


def make_poster(
    ffmpeg: str, source_url: str, source: Source, folder: Path, cancellation: Cancellation
) -> Path | None:
    """Write a picture of a tenth into the video, or its first where that finds none.

    Returns None when no key frame decodes.
    """
    target = folder / storage_keys.THUMBNAIL
    for at_s in (source.duration_s / 10, 0.0):
        command = poster_command(ffmpeg, source_url, source, target, at_s=at_s)
        _run(command, folder, cancellation)
        if target.exists():
            return target
    _log.warning("no poster: the source has no key frame that decodes")
    return None


def make_sprite(
    ffmpeg: str, source_url: str, source: Source, folder: Path, cancellation: Cancellation
) -> list[Path]:
    """Write the pages of thumbnails and the WebVTT that names their parts; return all of them.

    One pass over the source that decodes its key frames alone.
    """
    layout = sheet(source)
    _run(sprite_command(ffmpeg, source_url, source, layout), folder, cancellation)
    pages = [folder / storage_keys.sprite_page(n) for n in range(1, layout.pages + 1)]
    index = folder / storage_keys.THUMBNAILS
    index.write_text(webvtt(layout))
    return [*pages, index]


def poster_command(
    ffmpeg: str, source_url: str, source: Source, target: Path, *, at_s: float
) -> list[str]:
    """Return the command that takes the key frame before `at_s`, at most 640 pixels wide.

    The frame lies before the point sought, hence the `passthrough`: a negative time stamp would
    be dropped otherwise.
    """
    width = _even(min(_POSTER_WIDTH, source.width))
    height = _even(source.height * width / source.width)
    return [
        *(ffmpeg, "-hide_banner", "-nostdin", "-y", "-loglevel", "error"),
        *(*_KEY_FRAMES, "-noaccurate_seek", "-ss", f"{at_s:.3f}"),
        *(*input_arguments(source_url), "-map", f"0:{source.video_stream}", "-frames:v", "1"),
        *("-vf", ",".join(_jpeg(source, width, height)), "-fps_mode", "passthrough"),
        *("-q:v", "3", "-update", "1", "-flags", "+bitexact", "-f", "image2", str(target)),
    ]


def sprite_command(ffmpeg: str, source_url: str, source: Source, layout: Sheet) -> list[str]:
    """Return the command that writes `sprite-N.jpg` into its working directory.

    `fps` puts into each interval the last key frame before its middle; the last one of all is
    repeated, since a tail without key frames has cues too.
    """
    filters = [
        f"fps=1/{layout.interval_s:.6f}:start_time=0:eof_action=pass",
        "tpad=stop=-1:stop_mode=clone",
        f"trim=end_frame={layout.count}",
        *_jpeg(source, layout.width, layout.height),
        f"tile={layout.columns}x{layout.rows}",
    ]
    return [
        *(ffmpeg, "-hide_banner", "-nostdin", "-y", "-loglevel", "error"),
        *("-progress", "pipe:1", *_KEY_FRAMES, *input_arguments(source_url)),
        *("-map", f"0:{source.video_stream}", "-filter_threads", "1", "-vf", ",".join(filters)),
        *("-fps_mode", "passthrough", "-q:v", "5", "-flags", "+bitexact"),
        *("-f", "image2", storage_keys.sprite_page(0).replace("0", "%d")),
    ]


def webvtt(layout: Sheet) -> str:
    """Return a cue for each thumbnail; `#xywh=` is a media fragment of its page.

    https://www.w3.org/TR/media-frags/#naming-space
    """
    cues, per_page = ["WEBVTT"], layout.columns * layout.rows
    for number in range(layout.count):
        page, place = divmod(number, per_page)
        row, column = divmod(place, layout.columns)
        end_s = min((number + 1) * layout.interval_s, layout.duration_s)
        box = f"{column * layout.width},{row * layout.height},{layout.width},{layout.height}"
        cues.append(
            f"{_stamp(number * layout.interval_s)} --> {_stamp(end_s)}\n"
            f"{storage_keys.sprite_page(page + 1)}#xywh={box}"
        )
    return "\n\n".join(cues) + "\n"


def _jpeg(source: Source, width: int, height: int) -> list[str]:
    """Return the filters from a frame to a JPEG's pixels: full range BT.601 by JFIF."""
    return [
        *color_filters(source, width=width, height=height),
        f"scale={width}:{height}:flags=bicubic:out_color_matrix=bt601:out_range=full",
        "setsar=1,format=yuvj420p",
    ]


def _run(command: list[str], folder: Path, cancellation: Cancellation) -> None:
    Ffmpeg(SystemClock()).run(command, folder, cancellation, lambda encoded_s: None)


def _stamp(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"


def _even(pixels: float) -> int:
    return max(2, 2 * round(pixels / 2))
