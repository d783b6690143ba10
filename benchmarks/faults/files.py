"""The files that are uploaded: rosters and films."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Sequence
from pathlib import Path

import imageio_ffmpeg
from xlsxwriter import Workbook


def student(number: int) -> tuple[str, str, str]:
    """Return a row of a roster, another one for every number."""
    digits = f"{number:08d}"
    phone = f"010-{digits[:4]}-{digits[4:]}"
    return (f"학생{number}", phone, phone)


def xlsx(rows: Sequence[Sequence[str]]) -> bytes:
    """Return a workbook of one sheet."""
    buffer = io.BytesIO()
    with Workbook(buffer, {"in_memory": True, "constant_memory": False}) as workbook:
        sheet = workbook.add_worksheet("명단")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return buffer.getvalue()


def clip(path: Path, seconds: int) -> tuple[bytes, int]:
    """Make a film whose key frames are nowhere near a segment's begin; return it and its frames."""
    fps = 25
    picture = f"testsrc2=size=640x360:rate={fps}:duration={seconds}"
    sound = f"sine=frequency=440:duration={seconds}"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error"]
    command += ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound]
    command += ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "30"]
    subprocess.run([*command, "-c:a", "aac", str(path)], check=True)
    return path.read_bytes(), seconds * fps
