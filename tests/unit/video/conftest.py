"""Short real clips, and what a player sees of a result."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
import pytest

from config.contracts.ladder import parse_ladder
from config.contracts.messages import VideoJob
from tests.unit.video.http_source import http_storage
from worker_images.base.clock import SystemClock
from worker_images.base.testing import MemoryStorage, context
from worker_images.video.encode import EncodeVideo
from worker_images.video.part_log import PartLog
from worker_images.video.settings import VideoSettings
from worker_images.video.testing import MemoryPartLog

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
KEY = "tenants/1/video/raw/session/clip.mp4"
HLS = "tenants/1/video/hls/7/"

Clip = Callable[..., Path]


def make_clip(
    path: Path,
    *,
    size: str = "640x360",
    seconds: float = 3,
    fps: str = "30",
    audio: bool = True,
    extra: tuple[str, ...] = (),
) -> Path:
    """Render a test picture, with a tone unless `audio` is False."""
    sound = ["-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}"] if audio else []
    picture = f"testsrc2=size={size}:rate={fps}:duration={seconds}"
    pixels = [] if "-pix_fmt" in extra else ["-pix_fmt", "yuv420p"]
    command = [
        *(FFMPEG, "-y", "-loglevel", "error", "-f", "lavfi", "-i", picture, *sound),
        *("-c:v", "libx264", "-preset", "ultrafast", *pixels, *extra, str(path)),
    ]
    subprocess.run(command, check=True)
    return path


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Return a maker of clips by name; one of the same name is made once."""
    folder = tmp_path_factory.mktemp("clips")

    def clip(name: str, **options: object) -> Path:
        path = folder / name
        return path if path.exists() else make_clip(path, **options)  # type: ignore[arg-type]

    return clip


@pytest.fixture
def job() -> VideoJob:
    return VideoJob("00000000-0000-4000-8000-000000000001", 7, 1, KEY)


def encoder(
    storage: MemoryStorage,
    *,
    ladder: str = "180:200:20,360:800:23,720:2500:23",
    segment_s: int = 2,
    part_s: int = 4,
    rate_control: str = "crf",
    part_log: PartLog | None = None,
) -> EncodeVideo:
    settings = VideoSettings(parse_ladder(ladder), segment_s, part_s, rate_control)
    return EncodeVideo(storage, settings, FFMPEG, SystemClock(), part_log or MemoryPartLog())


def encoded(clip: Path, job: VideoJob, **options: Any) -> MemoryStorage:
    """Run a whole job over HTTP; return what lies in the bucket then."""
    with http_storage({KEY: clip.read_bytes()}) as storage:
        encoder(storage, **options)(job, context(job_id=job.job_id))
    return storage


def save(storage: MemoryStorage, folder: Path) -> Path:
    """Write a result to disk as a player would fetch it; return the master playlist's path."""
    for key in storage.list_keys(HLS):
        path = folder / key.removeprefix(HLS)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(storage.objects[key].data)
    return folder / "master.m3u8"


def frame_times(path: Path) -> list[float]:
    """Decode every video frame; return the times in order of appearance, from 0."""
    with av.open(str(path)) as container:
        times = [float(frame.time or 0) for frame in container.decode(video=0)]
    return [round(time - times[0], 3) for time in times]
