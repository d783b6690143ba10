"""A source is described as it is shown; an unusable one is named to the teacher."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.video.conftest import FFMPEG
from worker_images.base.errors import Permanent
from worker_images.video.probe import probe

Clip = Callable[..., Path]


def test_a_landscape_clip(clips: Clip) -> None:
    source = probe(clips("landscape.mp4"))
    assert (source.width, source.height, source.fps) == (640, 360, 30)
    assert source.has_audio
    assert source.duration_s == pytest.approx(3, abs=0.1)


def test_a_rotated_clip_is_portrait(clips: Clip, tmp_path: Path) -> None:
    rotated = rotate(clips("landscape.mp4"), tmp_path)
    assert (probe(rotated).width, probe(rotated).height) == (360, 640)


def test_wide_pixels_widen_the_picture(clips: Clip) -> None:
    source = probe(clips("anamorphic.mp4", size="480x360", extra=("-vf", "setsar=4/3")))
    assert (source.width, source.height) == (640, 360)


def test_a_clip_without_sound(clips: Clip) -> None:
    assert not probe(clips("silent.mp4", audio=False)).has_audio


def test_a_recording_without_announced_duration_is_measured(clips: Clip) -> None:
    options = ("-live", "1", "-f", "matroska")
    source = probe(clips("live.mkv", audio=False, extra=options))
    assert source.duration_s == pytest.approx(3, abs=0.1)


def broken(name: str, clips: Clip, folder: Path) -> Path:
    path = folder / "upload"
    whole = clips("landscape.mp4").read_bytes()
    front = clips("front.mp4", extra=("-movflags", "+faststart", "-b:v", "2M"), seconds=4)
    path.write_bytes(
        {
            "empty": b"",
            "text": "강의 자료입니다.\n".encode() * 50,
            "zeros": bytes(5000),
            "cut": whole[: len(whole) // 2],
            "cut after its index": front.read_bytes()[: front.stat().st_size * 2 // 5],
            "picture": b"",
            "sound": b"",
        }[name]
    )
    if name == "picture":
        run("-f", "lavfi", "-i", "testsrc2=duration=0.04", "-frames:v", "1", "-f", "mjpeg", path)
    if name == "sound":
        run("-f", "lavfi", "-i", "sine=duration=1", "-f", "mp3", path)
    return path


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("empty", "EMPTY_FILE"),
        ("text", "NOT_A_VIDEO"),
        ("zeros", "NOT_A_VIDEO"),
        ("picture", "NOT_A_VIDEO"),
        ("sound", "NO_VIDEO_STREAM"),
        ("cut", "TRUNCATED"),
        ("cut after its index", "TRUNCATED"),
    ],
)
def test_an_unusable_file_has_a_reason_in_korean(
    name: str, code: str, clips: Clip, tmp_path: Path
) -> None:
    with pytest.raises(Permanent) as caught:
        probe(broken(name, clips, tmp_path))
    assert caught.value.code == code
    assert caught.value.message.endswith("다시 업로드해 주세요.")


def rotate(clip: Path, folder: Path) -> Path:
    """Return a copy that asks its player for a quarter turn."""
    path = folder / "rotated.mp4"
    run("-display_rotation:v:0", "90", "-i", clip, "-c", "copy", path)
    return path


def run(*arguments: object) -> None:
    subprocess.run([FFMPEG, "-y", "-loglevel", "error", *map(str, arguments)], check=True)
