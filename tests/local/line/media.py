"""Lecture clips to upload, and what a player would decode of the result."""

from __future__ import annotations

import subprocess
from pathlib import Path

import av
import imageio_ffmpeg


def render_clip(
    target: Path, *, seconds: int, size: str = "1280x720", fps: int = 30, crf: int = 23
) -> Path:
    """Render a moving test picture with a tone; every frame differs from the one before.

    A higher `crf` (to 51) makes a smaller file.
    """
    subprocess.run(
        [
            imageio_ffmpeg.get_ffmpeg_exe(),
            *("-v", "error", "-y"),
            *("-f", "lavfi", "-i", f"testsrc2=size={size}:rate={fps}:duration={seconds}"),
            *("-f", "lavfi", "-i", f"sine=frequency=220:duration={seconds}"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-crf", str(crf), "-pix_fmt", "yuv420p"),
            *("-c:a", "aac", "-shortest", str(target)),
        ],
        check=True,
    )
    return target


def repeat_clip(source: Path, target: Path, *, times: int) -> Path:
    """Put a clip behind itself so often, without encoding anything again."""
    subprocess.run(
        [
            imageio_ffmpeg.get_ffmpeg_exe(),
            *("-v", "error", "-y", "-stream_loop", str(times - 1), "-i", str(source)),
            *("-c", "copy", str(target)),
        ],
        check=True,
    )
    return target


def frame_times(source: Path) -> list[float]:
    """Decode every video frame of a file or playlist and return its presentation times in s."""
    with av.open(str(source)) as container:
        return [frame.time for frame in container.decode(video=0) if frame.time is not None]


def frame_size(source: Path) -> tuple[int, int]:
    with av.open(str(source)) as container:
        stream = container.streams.video[0]
        return stream.width, stream.height
