"""Lectures of synthesized speech (espeak-ng) between silences, as videos."""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import numpy as np

RATE = 16_000


@dataclass(frozen=True)
class Lecture:
    """A video's bytes, and the (start, end) in seconds between which somebody speaks."""

    data: bytes
    spoken: Sequence[tuple[float, float]]
    duration_s: float


def said(text: str) -> np.ndarray:
    """Return Korean speech, 16 kHz, loud from its first to its last sample."""
    program = shutil.which("espeak-ng")
    assert program, "espeak-ng missing: apt-get install espeak-ng (Debian, Ubuntu)"
    command = [program, "-v", "ko", "-s", "120", "-p", "60", "--stdout", text]
    spoken = subprocess.run(command, capture_output=True, check=True).stdout
    with wave.open(io.BytesIO(spoken)) as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(10**9), np.int16).astype(float)
    at = np.arange(0, len(samples) - 1, rate / RATE)
    resampled = np.interp(at, np.arange(len(samples)), samples)
    loud = np.flatnonzero(np.abs(resampled) > 300)
    return resampled[loud[0] : loud[-1] + 1].astype(np.int16)


def lecture(parts: Sequence[float | str], folder: Path, *, delay_s: float = 0.0) -> Lecture:
    """Return an MP4 of a black picture with `parts`: seconds of silence, or what is said.

    `delay_s` starts the audio stream so much later than the picture.
    """
    samples: list[np.ndarray] = []
    spoken = []
    for part in parts:
        start_s = sum(map(len, samples)) / RATE + delay_s
        samples.append(
            said(part) if isinstance(part, str) else np.zeros(round(part * RATE), np.int16)
        )
        if isinstance(part, str):
            spoken.append((start_s, start_s + len(samples[-1]) / RATE))
    sound = np.concatenate(samples)
    duration_s = len(sound) / RATE + delay_s
    target = folder / "lecture.mp4"
    command = [
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error"),
        *("-f", "lavfi", "-i", f"color=black:size=64x64:rate=5:duration={duration_s}"),
        *("-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", "-"),
        *("-af", f"asetpts=PTS+{delay_s}/TB"),
        *("-map", "0:v", "-map", "1:a", "-c:v", "libx264", "-c:a", "aac", "-ar", "44100"),
        str(target),
    ]
    subprocess.run(command, input=sound.tobytes(), check=True)
    return Lecture(target.read_bytes(), spoken, duration_s)
