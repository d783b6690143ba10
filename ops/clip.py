"""The lecture that is made when none is given: slides and a voice-like sound, 1080p30.

Everything is drawn by ffmpeg from boxes and sines, so that it needs no font, file or network.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg

from ops.errors import OperatorError

WIDTH, HEIGHT, FPS = 1920, 1080, 30
DURATION_S = 60
SLIDE_S = 5
_PAPER = ("0xf7f3e8", "0xe8f0f7", "0xf0f7e8", "0xf7e8ee")
_INK = ("0x1f3a5f", "0x5f1f3a", "0x3a5f1f", "0x4a3a6f")
#: Segments a to g of a seven-segment digit: x, y, width, height in units of its stroke.
_SEGMENTS = {
    "a": (1, 0, 4, 1),
    "b": (5, 1, 1, 4),
    "c": (5, 6, 1, 4),
    "d": (1, 10, 4, 1),
    "e": (0, 6, 1, 4),
    "f": (0, 1, 1, 4),
    "g": (1, 5, 4, 1),
}
_DIGITS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")
#: A voice of 110 to 150 Hz with two formants, in syllables and phrases.
_VOICE = (
    "(0.30*sin(2*PI*(130+20*sin(2*PI*0.31*t))*t)+0.12*sin(2*PI*700*t)+0.06*sin(2*PI*1220*t))"
    "*max(0,sin(2*PI*2.7*t))*gt(mod(t,6.5),0.9)"
)


def slide_filters(duration_s: int) -> str:
    """Return the filter chain that draws a slide each SLIDE_S: number, title, lines."""
    boxes = []
    for index, start in enumerate(range(0, duration_s, SLIDE_S)):
        when = f"enable='between(t,{start},{start + SLIDE_S - 0.5})'"
        ink = _INK[index % len(_INK)]
        boxes.append(_box((0, 0, WIDTH, HEIGHT), _PAPER[index % len(_PAPER)], when))
        boxes.append(_box((120, 110, 900 + 90 * (index % 5), 70), ink, when))
        for line in range(3 + index % 4):
            width = 700 + (index * 211 + line * 373) % 650
            boxes.append(_box((160, 290 + line * 110, 28, 28), ink, when))
            boxes.append(_box((220, 290 + line * 110, width, 28), "0x777777", when))
        boxes += _number(index + 1, ink, when)
    return ",".join(boxes)


def render(path: Path, *, duration_s: int = DURATION_S) -> bool:
    """Render the clip unless it is there; return whether it was rendered.

    The file appears in one move, so an interrupted run leaves none. Raises: OperatorError.
    """
    if path.is_file():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".part{path.suffix}")
    # Drawn once a second, then repeated: thirty times less to draw.
    slides = f"color=c=black:s={WIDTH}x{HEIGHT}:r=1:d={duration_s},{slide_filters(duration_s)}"
    picture = f"{slides},fps={FPS}"
    command = [ffmpeg(), "-nostdin", "-hide_banner", "-loglevel", "error", "-y"]
    command += ["-f", "lavfi", "-i", picture]
    command += ["-f", "lavfi", "-i", f"aevalsrc='{_VOICE}':d={duration_s}:s=48000"]
    command += ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p"]
    command += ["-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart", str(unfinished)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OperatorError(f"ffmpeg could not render the clip: {done.stderr.strip()[-500:]}")
    unfinished.replace(path)
    return True


def ffmpeg() -> str:
    """Return the path of the ffmpeg that the virtual environment brings."""
    path: str = imageio_ffmpeg.get_ffmpeg_exe()  # type: ignore[attr-defined, no-untyped-call]
    return path


def _box(area: tuple[int, int, int, int], colour: str, when: str) -> str:
    """Return the filter that fills an area (left, top, width, height in pixels)."""
    x, y, width, height = area
    return f"drawbox=x={x}:y={y}:w={width}:h={height}:c={colour}:t=fill:{when}"


def _number(number: int, colour: str, when: str) -> list[str]:
    """Return the boxes of a two-digit number in the upper right corner."""
    stroke = 14
    boxes = []
    for place, digit in enumerate(f"{number % 100:02d}"):
        left = WIDTH - 330 + place * 130
        for segment in _DIGITS[int(digit)]:
            x, y, width, height = (value * stroke for value in _SEGMENTS[segment])
            boxes.append(_box((left + x, 70 + y, width, height), colour, when))
    return boxes
