"""CPU of the ladder from one decode, against a run per rendition, one after the other.

    python -m benchmarks.encode [--json] [--seconds 20] [--runs 3]

Both ways run in turn, in the same process tree on the same clip, and only their ratio counts:
seconds depend on the machine and on what else it does. Medians of `--runs`.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

from config.contracts.ladder import parse_ladder
from worker_images.video.ffmpeg import encode_command
from worker_images.video.ladder import Rendition, renditions
from worker_images.video.probe import Source, probe

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
LADDER = "360:800,720:2500,1080:5000"
SEGMENT_S = 6


@dataclass(frozen=True)
class Cost:
    """CPU of the child processes, and the time that passed, in seconds."""

    cpu_s: float
    wall_s: float


def lecture(path: Path, seconds: int) -> None:
    """Render 1080p30: a still slide on the left, a moving noisy picture on the right, a voice."""
    graph = (
        "color=white:size=960x1080:rate=30,drawgrid=width=96:height=54:color=black[slide];"
        "testsrc2=size=960x1080:rate=30,noise=alls=12:allf=t[camera];[slide][camera]hstack[v]"
    )
    command = [
        *(FFMPEG, "-y", "-loglevel", "error", "-filter_complex", graph),
        *("-f", "lavfi", "-i", "anoisesrc=color=pink:amplitude=0.1", "-map", "[v]", "-map", "0:a"),
        *("-t", str(seconds), "-c:v", "libx264", "-preset", "veryfast", "-crf", "20"),
        *("-pix_fmt", "yuv420p", "-c:a", "aac", str(path)),
    ]
    subprocess.run(command, check=True)


def measured(work: Callable[[], None]) -> Cost:
    """Run `work` and return what its child processes cost."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Cost(cpu_s, time.perf_counter() - started)


def encode(clip: Path, source: Source, ladder: tuple[Rendition, ...]) -> None:
    """Run one ffmpeg for `ladder` in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        for rendition in ladder:
            (Path(folder) / rendition.name).mkdir()
        command = encode_command(FFMPEG, clip, source, ladder, SEGMENT_S)
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def compare(clip: Path, runs: int) -> dict[str, float]:
    """Return the medians of both ways and their ratios."""
    source = probe(clip)
    ladder = renditions(parse_ladder(LADDER), width=source.width, height=source.height)

    def one_decode() -> None:
        encode(clip, source, ladder)

    def one_by_one() -> None:
        for rendition in ladder:
            encode(clip, source, (rendition,))

    ours, theirs = [], []
    for _ in range(runs):
        ours.append(measured(one_decode))
        theirs.append(measured(one_by_one))
    pairs = list(zip(ours, theirs, strict=True))
    return {
        "source_s": source.duration_s,
        "one_decode_cpu_s": statistics.median(cost.cpu_s for cost in ours),
        "one_by_one_cpu_s": statistics.median(cost.cpu_s for cost in theirs),
        "cpu_ratio": statistics.median(a.cpu_s / b.cpu_s for a, b in pairs),
        "wall_ratio": statistics.median(a.wall_s / b.wall_s for a, b in pairs),
    }


def main() -> None:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seconds", type=int, default=20, help="length of the clip")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "lecture.mp4"
        lecture(clip, options.seconds)
        result = {name: round(value, 3) for name, value in compare(clip, options.runs).items()}
    if options.json:
        print(json.dumps(result))
    else:
        print("\n".join(f"{name:<20}{value:>10}" for name, value in result.items()))


if __name__ == "__main__":
    main()
