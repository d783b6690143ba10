"""How a rendition looks against its source: VMAF, and whether frames were lost.

    python -m benchmarks.quality SOURCE PLAYLIST... [--every 5]

VMAF is libvmaf's default model at the source's size, each rendition scaled up as a player would.
`--every N` scores one frame in N. Both sides must hold the same frames, or the score means
nothing: the counts are printed beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
from itertools import pairwise
from pathlib import Path

import av
import imageio_ffmpeg

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
#: Where one side names its colours and the other does not, ffmpeg converts between them, and VMAF
#: takes the contrast that this adds for quality: 5 points too many.
_SAME_COLORS = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"


def frame_count(path: Path) -> int:
    """Return how many frames of video decode; `path` is a file or a playlist."""
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        return sum(1 for _ in container.decode(video=0))


def irregular(path: Path) -> int:
    """Return how many frames do not come one frame, to a tick, after the one before."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stamps = sorted(p.pts for p in container.demux(stream) if p.size and p.pts is not None)
    steps = [after - before for before, after in pairwise(stamps)]
    usual = statistics.median(steps)
    return sum(abs(step - usual) > 1 for step in steps)


def vmaf(distorted: Path, reference: Path, *, every: int = 1) -> float:
    """Return the mean VMAF of a file or playlist against its reference, from 0 to 100."""
    with av.open(str(reference)) as container:
        size = f"{container.streams.video[0].width}:{container.streams.video[0].height}"
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "vmaf.json"
        options = f"n_threads={os.cpu_count()}:n_subsample={every}:log_fmt=json:log_path={log}"
        same_times = "settb=AVTB,setpts=N/25/TB"
        graph = (
            f"[0:v]{_SAME_COLORS},scale={size}:flags=bicubic,format=yuv420p,{same_times}[distorted];"
            f"[1:v]{_SAME_COLORS},format=yuv420p,{same_times}[reference];"
            f"[distorted][reference]libvmaf={options}"
        )
        sources = ["-i", str(distorted), "-i", str(reference)]
        command = [FFMPEG, "-loglevel", "error", *sources, "-lavfi", graph, "-f", "null", "-"]
        subprocess.run(command, check=True)
        return float(json.loads(log.read_text())["pooled_metrics"]["vmaf"]["mean"])


def main() -> None:
    """Score the renditions and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("playlists", type=Path, nargs="+")
    parser.add_argument("--every", type=int, default=1, help="score one frame in so many")
    options = parser.parse_args()
    print(f"source: {frame_count(options.source)} frames")
    for playlist in options.playlists:
        score = vmaf(playlist, options.source, every=options.every)
        count = frame_count(playlist)
        print(f"{playlist}: VMAF {score:.2f}, {count} frames, {irregular(playlist)} irregular")


if __name__ == "__main__":
    main()
