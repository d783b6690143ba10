"""Thumbnails show what plays at their time, over pages, for a source that is read by URL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import pytest
from av.video.frame import VideoFrame

from tests.unit.video.conftest import FFMPEG
from tests.unit.video.http_source import http_storage
from worker_images.base.cancellation import Cancellation
from worker_images.base.errors import HandedBack
from worker_images.video.probe import probe
from worker_images.video.sprite import make_poster, make_sprite, sheet, webvtt

Clip = Callable[..., Path]
#: Ten seconds each of red, green and blue, with a key frame a second.
COLORS = "color=red:s=64x36:r=5:d=10[a];color=lime:s=64x36:r=5:d=10[b];color=blue:s=64x36:r=5:d=10"


@pytest.fixture
def colors(clips: Clip) -> Path:
    graph = f"{COLORS}[c];[a][b][c]concat=n=3,scale=out_color_matrix=bt709:out_range=tv[v]"
    named = ("-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709")
    options = ("-filter_complex", graph, "-map", "[v]", "-g", "5", *named)
    return clips("colors.mp4", seconds=30, fps="5", audio=False, extra=options)


def pixel(path: Path, x: int, y: int) -> tuple[int, int, int]:
    with av.open(str(path)) as picture:
        frame = next(picture.decode(video=0))
        assert isinstance(frame, VideoFrame)
        plane = frame.reformat(format="rgb24").planes[0]
    at = y * plane.line_size + 3 * x
    red, green, blue = bytes(plane)[at : at + 3]
    return red, green, blue


def near(found: tuple[int, int, int], wanted: tuple[int, int, int]) -> bool:
    return all(abs(a - b) < 12 for a, b in zip(found, wanted, strict=True))


def test_each_cue_shows_the_picture_of_its_time(colors: Path, tmp_path: Path) -> None:
    with http_storage({"a b.mp4": colors.read_bytes()}) as storage:
        url = storage.presign_get("a b.mp4", expires_s=60)
        page, index = make_sprite(FFMPEG, url, probe(url), tmp_path, Cancellation())
    assert page.name == "sprite-1.jpg"
    assert index.read_text().split("\n\n") == [
        "WEBVTT",
        "00:00:00.000 --> 00:00:10.000\nsprite-1.jpg#xywh=0,0,160,90",
        "00:00:10.000 --> 00:00:20.000\nsprite-1.jpg#xywh=160,0,160,90",
        "00:00:20.000 --> 00:00:30.000\nsprite-1.jpg#xywh=320,0,160,90\n",
    ]
    assert near(pixel(page, 80, 45), (255, 0, 0))
    assert near(pixel(page, 240, 45), (0, 255, 0))
    assert near(pixel(page, 400, 45), (0, 0, 255))


def test_the_poster_is_from_a_tenth_into_the_video(colors: Path, tmp_path: Path) -> None:
    source = replace(probe(colors), duration_s=200.0)
    poster = make_poster(FFMPEG, str(colors), source, tmp_path, Cancellation())
    assert poster is not None
    assert poster.name == "thumbnail.jpg"
    assert near(pixel(poster, 32, 18), (0, 0, 255))


def test_a_lecture_of_three_hours_has_a_thousand_thumbnails_at_most(colors: Path) -> None:
    layout = sheet(replace(probe(colors), duration_s=3 * 3600.0, width=1920, height=1080))
    assert (layout.count, layout.pages, layout.width, layout.height) == (1000, 10, 160, 90)
    cues = webvtt(layout).split("\n\n")[1:]
    assert len(cues) == 1000
    assert cues[-1] == "02:59:49.200 --> 03:00:00.000\nsprite-10.jpg#xywh=1440,810,160,90\n"
    assert cues[100].endswith("sprite-2.jpg#xywh=0,0,160,90")


@pytest.mark.parametrize(
    ("duration_s", "grid"),
    [(0.2, (1, 1, 1)), (10.0, (1, 1, 1)), (10.1, (2, 1, 1)), (110.0, (10, 2, 1))],
)
def test_a_short_video_has_a_small_sheet(
    colors: Path, duration_s: float, grid: tuple[int, int, int]
) -> None:
    layout = sheet(replace(probe(colors), duration_s=duration_s))
    assert (layout.columns, layout.rows, layout.pages) == grid


def test_a_portrait_has_upright_thumbnails(colors: Path) -> None:
    layout = sheet(replace(probe(colors), width=1080, height=1920))
    assert (layout.width, layout.height) == (90, 160)


def test_more_pages_follow_the_first(colors: Path, tmp_path: Path) -> None:
    """Cues of a tail without key frames are kept: the last picture stands for it."""
    source = replace(probe(colors), duration_s=1205.0)
    *pages, _ = make_sprite(FFMPEG, str(colors), source, tmp_path, Cancellation())
    assert [page.name for page in pages] == ["sprite-1.jpg", "sprite-2.jpg"]
    assert near(pixel(pages[1], 2 * 160 + 80, 2 * 90 + 45), (0, 0, 0))
    assert near(pixel(pages[1], 80, 2 * 90 + 45), (0, 0, 255))


def test_a_drained_worker_stops_at_once(colors: Path, tmp_path: Path) -> None:
    cancellation = Cancellation()
    cancellation.cancel(HandedBack("DRAINED", "stop"))
    source = probe(colors)
    with pytest.raises(HandedBack):
        make_sprite(FFMPEG, str(colors), source, tmp_path, cancellation)
    assert not list(tmp_path.glob("sprite*"))
