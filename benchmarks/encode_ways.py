"""The ways to encode that `benchmarks.encode` compares, as ffmpeg commands."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

from benchmarks.lecture import FFMPEG
from config.contracts.ladder import parse_ladder
from worker_images.video.commands import part_command
from worker_images.video.ladder import Rendition
from worker_images.video.plan import Plan, make_plan
from worker_images.video.probe import probe
from worker_images.video.settings import VideoSettings

#: performance.md's ladder.
LADDER = "360:800:20,480:1400:21,720:2800:22,1080:5000:23"
SEGMENT_S, PART_S = 6, 12
SETTINGS = VideoSettings(parse_ladder(LADDER), SEGMENT_S, PART_S, "crf")
_QUIET = (FFMPEG, "-y", "-loglevel", "error")


def plan_of(clip: Path) -> Plan:
    """Return the plan of one part that encodes every rendition."""
    settings = replace(SETTINGS, part_s=3600 * SEGMENT_S)
    return make_plan(probe(clip), settings, etag="", key_frames_s=())


def decode(clip: Path) -> None:
    """Decode every frame of the picture, once."""
    _run("-threads", "1", "-i", clip, "-map", "0:v:0", "-f", "null", "-")


def decode_and_scale(clip: Path, plan: Plan, *, by_default: bool = False) -> None:
    """Decode once, and scale each frame to every rendition, as we do or as ffmpeg's `scale`."""
    graph = _graph(plan)
    if by_default:
        graph = re.sub(r"zscale=(\d+:\d+):[^,]*", r"scale=\1:flags=bicubic", graph)
    _run(*_threads(), "-i", clip, "-filter_complex", graph, *_nowhere(plan))


def raw_frames(clip: Path, plan: Plan, rung: Rendition, target: Path) -> None:
    """Write what the encoder of a rendition gets."""
    only = replace(plan, ladder=(rung,))
    _run(
        "-i",
        clip,
        "-filter_complex",
        _graph(only),
        "-map",
        f"[{rung.name}]",
        "-f",
        "rawvideo",
        target,
    )


def encode_raw(raw: Path, plan: Plan, rung: Rendition) -> None:
    """Encode raw frames as a part does."""
    words = part_command(FFMPEG, "", replace(plan, ladder=(rung,)), plan.parts[0])
    options = words[words.index("-c:v") : words.index("-map_metadata")]
    size, rate = f"{rung.width}x{rung.height}", str(plan.source.fps)
    given = ("-f", "rawvideo", "-video_size", size, "-framerate", rate, "-i", raw)
    _run(*given, *options, "-f", "mp4", "/dev/null")


def one_by_one(clip: Path, plan: Plan, folder: Path) -> None:
    """Run ffmpeg once a rendition, with the sound, on as many threads as it takes by itself."""
    for rung in plan.ladder:
        kbps = rung.bitrate_kbps
        _run(
            *("-i", clip, "-vf", f"scale={rung.width}:{rung.height}:flags=bicubic"),
            *("-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-sc_threshold", "0"),
            *("-crf", rung.crf, "-maxrate", f"{kbps}k", "-bufsize", f"{round(kbps * 1.5)}k"),
            *("-force_key_frames", "expr:gte(t,n_forced*2)", "-g", "9999"),
            *("-c:a", "aac", "-b:a", "128k", "-ac", "2", "-f", "hls", "-hls_time", SEGMENT_S),
            *("-hls_playlist_type", "vod", "-hls_segment_type", "fmp4"),
            *("-hls_fmp4_init_filename", f"{rung.name}.mp4", folder / f"{rung.name}.m3u8"),
        )


def _graph(plan: Plan) -> str:
    words = part_command(FFMPEG, "", plan, plan.parts[0])
    return words[words.index("-filter_complex") + 1]


def _nowhere(plan: Plan) -> list[str]:
    return [word for r in plan.ladder for word in ("-map", f"[{r.name}]", "-f", "null", "-")]


def _threads() -> list[str]:
    return ["-filter_threads", "1", "-filter_complex_threads", "1", "-threads", "1"]


def _run(*words: object) -> None:
    subprocess.run([*_QUIET, *map(str, words)], check=True)
