"""Every kind of upload through the whole job: READY and right, or FAILED with a reason."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av
import pytest
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from config.contracts.messages import VideoJob
from tests.hls.checker import check
from tests.unit.video import media
from tests.unit.video.conftest import HLS, KEY, encoded, encoder, save
from tests.unit.video.http_source import http_storage
from worker_images.base.errors import Permanent
from worker_images.base.testing import context

LADDER = "90:150:23,180:300:23"


@pytest.fixture(scope="module")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return media.shelf(tmp_path_factory)


@dataclass(frozen=True)
class Wanted:
    """What comes out: frames, the size of the largest rendition, and whether there is sound."""

    frames: int = 120
    size: tuple[int, int] = (320, 180)
    has_sound: bool = True


UPRIGHT = (180, 320)
WANTED = {
    "landscape.mp4": Wanted(),
    "portrait.mp4": Wanted(size=UPRIGHT),
    "turned90.mp4": Wanted(size=UPRIGHT),
    "turned180.mp4": Wanted(),
    "odd.mp4": Wanted(),
    "anamorphic.mp4": Wanted(),
    "ntsc.mp4": Wanted(),
    "fast.mp4": Wanted(frames=240),
    "variable.mp4": Wanted(),
    "screen.webm": Wanted(frames=118),
    "odd screen.webm": Wanted(),
    "paused screen.webm": Wanted(),
    "late picture.mp4": Wanted(),
    "long sound.mp4": Wanted(),
    "short sound.mp4": Wanted(),
    "interlaced.mp4": Wanted(frames=100),
    "ten bit.mp4": Wanted(),
    "full range.mp4": Wanted(),
    "pq.mov": Wanted(),
    "hlg.mov": Wanted(),
    "silent.mp4": Wanted(has_sound=False),
    "two tracks.mp4": Wanted(),
    "unknown track.mp4": Wanted(),
    "surround.mp4": Wanted(),
    "late start.ts": Wanted(),
    "camera.mkv": Wanted(),
    "one picture.mp4": Wanted(),
    "photo.webm": Wanted(frames=1, has_sound=False),
    # The picture comes two seconds after the sound, and off the grid of frames by 0.7 of one.
    "beginning lost.ts": Wanted(frames=121),
    # Both files hold one gap of a frame, which the frame before fills.
    "old.avi": Wanted(frames=121),
    "fragments.mp4": Wanted(frames=121),
}


@pytest.mark.parametrize("name", WANTED)
def test_an_upload_becomes_ready_and_right(
    name: str, uploads: Path, job: VideoJob, tmp_path: Path
) -> None:
    clip, wanted = media.make(name, uploads), WANTED[name]
    folder = save(encoded(clip, job, ladder=LADDER, part_s=2), tmp_path).parent
    assert check(folder) == []
    top = folder / "v2" / "index.m3u8"
    assert picture(top)[:2] == (wanted.frames, wanted.size)
    assert (folder / "audio").is_dir() == wanted.has_sound
    assert (folder / "thumbnails.vtt").is_file()
    if name not in {"pq.mov", "hlg.mov"}:
        assert difference(picture(top)[2], first_luma(clip, wanted.size)) < 4


def picture(path: Path) -> tuple[int, tuple[int, int], bytes]:
    """Return how many frames decode, their size and the first one's luma."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    plane = frames[0].planes[0]
    rows = range(0, plane.line_size * plane.height, plane.line_size)
    luma = b"".join(bytes(plane)[at : at + plane.width] for at in rows)
    return len(frames), (frames[0].width, frames[0].height), luma


def first_luma(clip: Path, size: tuple[int, int]) -> bytes:
    """Return what ffmpeg shows of a clip first, rotated, scaled and in SDR's range."""
    scaled = f"scale={size[0]}:{size[1]}:out_range=tv,format=yuv420p"
    command = [media.FFMPEG, "-loglevel", "error", "-i", str(clip), "-vf", scaled]
    output = ["-frames:v", "1", "-f", "rawvideo", "-"]
    raw = subprocess.run([*command, *output], check=True, capture_output=True).stdout
    return raw[: size[0] * size[1]]


def difference(one: bytes, other: bytes) -> float:
    """Return the mean absolute difference of two planes."""
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)


@pytest.mark.parametrize("name", ["pq.mov", "hlg.mov"])
def test_hdr_is_shown_as_bright_as_sdr_would_be(
    name: str, uploads: Path, job: VideoJob, tmp_path: Path
) -> None:
    clip = media.make(name, uploads)
    folder = save(encoded(clip, job, ladder="180:300:23", segment_s=4), tmp_path).parent
    with av.open(str(folder / "v1/index.m3u8")) as container:
        frame = next(container.decode(video=0))
        assert (frame.format.name, frame.colorspace, frame.color_trc) == ("yuv420p", 1, 1)
    share = (picture(folder / "v1/index.m3u8")[2][0] - 16) / 219
    assert share == pytest.approx(media.SHOWN[name], abs=0.04)


@dataclass(frozen=True)
class Sound:
    """The left and right channel: their level from 0 to 1 and the left one's pitch in Hz."""

    left: float
    right: float
    pitch_hz: float


def sound(folder: Path) -> Sound:
    left, right = bytearray(), bytearray()
    with av.open(str(folder / "audio/index.m3u8")) as container:
        resampler = AudioResampler(format="s16p", layout="stereo", rate=48000)
        for frame in container.decode(audio=0):
            for part in resampler.resample(frame):
                assert isinstance(part, AudioFrame)
                left += bytes(part.planes[0])[: part.samples * 2]
                right += bytes(part.planes[1])[: part.samples * 2]
    samples = memoryview(bytes(left)).cast("h")[48000:96000]
    others = memoryview(bytes(right)).cast("h")[48000:96000]
    rises = sum(before < 0 <= after for before, after in pairwise(samples))
    return Sound(max(samples) / 32768, max(others) / 32768, rises)


@pytest.mark.parametrize(
    ("name", "pitch_hz"),
    [("two tracks.mp4", 1000), ("unknown track.mp4", 440), ("surround.mp4", 440)],
)
def test_the_track_that_is_heard_is_heard_on_both_sides(
    name: str, pitch_hz: int, uploads: Path, job: VideoJob, tmp_path: Path
) -> None:
    clip = media.make(name, uploads)
    folder = save(encoded(clip, job, ladder="90:150:23", segment_s=4), tmp_path).parent
    found = sound(folder)
    assert found.pitch_hz == pytest.approx(pitch_hz, abs=3)
    assert found.left == pytest.approx(found.right, rel=0.02)
    assert found.left > 0.02


def test_three_hours_of_stills_are_cheap(uploads: Path, job: VideoJob, tmp_path: Path) -> None:
    clip = media.make("stills.mp4", uploads)
    storage = encoded(clip, job, ladder="90:100:30", segment_s=60, part_s=600)
    folder = save(storage, tmp_path).parent
    assert check(folder) == []
    assert picture(folder / "v1/index.m3u8")[0] == media.STILLS_S
    assert len(list(folder.glob("sprite-*.jpg"))) == 10


@pytest.mark.parametrize("name", media.UNUSABLE)
def test_an_unusable_upload_fails_for_a_teacher_and_leaves_nothing(
    name: str, uploads: Path, job: VideoJob
) -> None:
    clip = media.make(name, uploads)
    with http_storage({KEY: clip.read_bytes()}) as storage:
        with pytest.raises(Permanent) as caught:
            encoder(storage)(job, context())
        assert list(storage.list_keys(HLS)) == []
    assert caught.value.code == media.UNUSABLE[name][0]
    assert caught.value.message.endswith("다시 업로드해 주세요.")
