"""A made-up lecture to encode: slides on the left, a camera's picture on the right, a voice."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
#: As a telephone records 1080p30, 130 MB a minute (https://support.apple.com/guide/iphone/iphc1827d32f),
#: and as a recorder's file that fits the top rung.
RECORDED = ("-b:v", "17M", "-maxrate", "20M", "-bufsize", "20M")
FITTING = ("-crf", "23", "-maxrate", "4500k", "-bufsize", "4500k", "-g", "60")
#: A new slide comes as often.
_SLIDE_S = 10


def lecture(path: Path, seconds: int, *, rate: tuple[str, ...] = RECORDED) -> None:
    """Render 1080p30: a slide that changes, a slowly moving picture with a sensor's noise."""
    words = ",".join(_word(row, column) for row in range(9) for column in range(8))
    graph = (
        f"color=0xf4f4ee:size=960x1080:rate=30,drawgrid=w=96:h=90:color=0xd0d0c8,{words}[slide];"
        # A picture with edges and with surfaces, once; then a hand-held camera looks at it.
        "nullsrc=size=1280x1280:rate=30:duration=0.03,format=yuv444p,geq=lum='255*random(1)'"
        ":cb='255*random(2)':cr='255*random(3)',split[fine][coarse];[fine]gblur=2[fine];"
        "[coarse]gblur=30,eq=contrast=12[coarse];[fine][coarse]blend=all_mode=average,"
        "loop=loop=-1:size=1,setpts=N/30/TB,crop=960:1080:x='160+120*sin(t/5)+3*sin(t*2)'"
        ":y='100+60*cos(t/7)+3*cos(t*3)',noise=alls=4:allf=t[camera];"
        "[slide][camera]hstack,format=yuv420p[v]"
    )
    command = [
        *(FFMPEG, "-y", "-loglevel", "error", "-filter_complex", graph),
        *("-f", "lavfi", "-i", "anoisesrc=color=pink:amplitude=0.1", "-map", "[v]", "-map", "0:a"),
        *("-t", str(seconds), "-c:v", "libx264", "-preset", "veryfast", *rate),
        *("-pix_fmt", "yuv420p", "-c:a", "aac", str(path)),
    ]
    subprocess.run(command, check=True)


def _word(row: int, column: int) -> str:
    """Return the filter that draws a word of a slide, of another length on each, or none."""
    slide = f"t/{_SLIDE_S}"
    length = f"20+mod({slide}*97+{row * 37 + column * 53}\\,70)"
    shown = f"gte(mod(floor({slide})*{row + 3}+{column}\\,5)\\,1)"
    place = f"x={80 + column * 100}:y={120 + row * 90}"
    return f"drawbox={place}:w={length}:h=12:color=black:t=fill:enable='{shown}'"
