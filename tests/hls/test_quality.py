"""The scores of the encode benchmark tell a good rendition from a bad one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from benchmarks.quality import FFMPEG, frame_count, irregular, vmaf

HLS = ("-f", "hls", "-hls_time", "1", "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4")


def ffmpeg(*arguments: object) -> None:
    subprocess.run([FFMPEG, "-y", "-loglevel", "error", *map(str, arguments)], check=True)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("quality") / "source.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=2", "-crf", 5, path)
    return path


def test_a_blurred_rendition_scores_far_below_a_sharp_one(source: Path, tmp_path: Path) -> None:
    scores = {}
    for name, height, crf in (("sharp", 180, 12), ("blurred", 60, 40)):
        path = tmp_path / f"{name}.m3u8"
        ffmpeg("-i", source, "-vf", f"scale=-2:{height}", "-crf", crf, *HLS, path)
        scores[name] = vmaf(path, source)
        assert frame_count(path) == frame_count(source) == 50
        assert irregular(path) == 0
    assert scores["sharp"] > 90
    assert scores["blurred"] < 60


def test_lost_frames_and_gaps_are_counted(source: Path, tmp_path: Path) -> None:
    path = tmp_path / "gaps.mp4"
    ffmpeg("-i", source, "-vf", "select='lt(n,20)+gt(n,24)'", "-fps_mode", "vfr", path)
    assert frame_count(path) == 45
    assert irregular(path) == 1
