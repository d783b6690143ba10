"""CPU of a whole video job against what cannot be avoided, and what the result is worth.

    python -m benchmarks.encode [--json] [--seconds 60] [--rounds 3] [--every 10]

Everything runs on the same made-up lecture within one run, and only ratios count: seconds depend
on the machine and on what else it does, so the cheapest of `--rounds` counts. The bound is decoding
once, scaling to every rendition, and encoding raw frames, each measured apart on one thread; `by
default` it scales by ffmpeg's own filter, as performance.md did, and not by the faster one. A run
per rendition is ffmpeg by its own defaults, with the sound each time. Our job is all of it: probe,
parts, sound, poster, thumbnails, and uploads by boto3 to an S3 server in a process of its own,
whose CPU is not counted. VMAF scores one frame in `--every`, 0 leaves it out.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
from collections.abc import Callable
from pathlib import Path

import av

from benchmarks import encode_ways as ways
from benchmarks.lecture import FFMPEG, FITTING, RECORDED, lecture
from benchmarks.quality import frame_count, irregular, vmaf
from benchmarks.s3_server import s3_storage
from config.contracts.messages import VideoJob
from config.contracts.storage_keys import hls_prefix
from tests.hls.checker import check
from worker_images.base.clock import SystemClock
from worker_images.base.testing import context
from worker_images.video.encode import EncodeVideo
from worker_images.video.plan import Plan
from worker_images.video.testing import MemoryPartLog

_JOB = VideoJob("00000000-0000-4000-8000-000000000000", 1, 1, "tenants/1/video/raw/s/lecture.mp4")
Result = dict[str, float]


def cpu_s(work: Callable[[], object]) -> float:
    """Run `work` and return the CPU seconds of this process and of those that ended in it."""
    before = _used_s()
    work()
    return _used_s() - before


def _used_s() -> float:
    found = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in found)


def our_job(clip: Path, target: Path) -> float:
    """Run a whole job on `clip`, leave its result below `target`; return its CPU seconds."""
    with s3_storage() as storage:
        storage.put_file(_JOB.file_key, clip, content_type="video/mp4", cache_control="no-cache")
        encode = EncodeVideo(storage, ways.SETTINGS, FFMPEG, SystemClock(), MemoryPartLog())
        used_s = cpu_s(lambda: encode(_JOB, context(job_id=_JOB.job_id)))
        prefix = hls_prefix(_JOB.tenant_id, _JOB.video_id)
        for key in storage.list_keys(prefix):
            path = target / key.removeprefix(prefix)
            path.parent.mkdir(parents=True, exist_ok=True)
            storage.get_file(key, path)
    return used_s


def bound_s(clip: Path, plan: Plan, folder: Path) -> dict[str, float]:
    """Return the CPU seconds of decoding, of scaling, and of encoding raw frames."""
    decoding_s = cpu_s(lambda: ways.decode(clip))
    scaling_s = cpu_s(lambda: ways.decode_and_scale(clip, plan)) - decoding_s
    by_default_s = cpu_s(lambda: ways.decode_and_scale(clip, plan, by_default=True)) - decoding_s
    encoding_s = 0.0
    for rung in plan.ladder:
        raw = folder / "frames.raw"
        ways.raw_frames(clip, plan, rung, raw)
        encoding_s += cpu_s(lambda raw=raw, rung=rung: ways.encode_raw(raw, plan, rung))  # type: ignore[misc]
        raw.unlink()
    return {
        "decode_s": decoding_s,
        "scale_s": scaling_s,
        "scale_by_default_s": by_default_s,
        "encode_s": encoding_s,
    }


def costs(folder: Path, seconds: int, rounds: int) -> Result:
    """Return CPU seconds, the least of all rounds each, and their ratios."""
    found: dict[str, list[float]] = {}
    for name, rate in (("recorded", RECORDED), ("fitting", FITTING)):
        lecture(folder / f"{name}.mp4", seconds, rate=rate)
    recorded, fitting = folder / "recorded.mp4", folder / "fitting.mp4"
    plan = ways.plan_of(recorded)
    for _ in range(rounds):
        once = {
            "ours_s": our_job(recorded, folder / "ours"),
            **bound_s(recorded, plan, folder),
            "one_by_one_s": cpu_s(lambda: ways.one_by_one(recorded, plan, folder)),
            "copied_top_s": our_job(fitting, folder / "copied"),
            "one_by_one_fitting_s": cpu_s(
                lambda: ways.one_by_one(fitting, plan, folder / "copied")
            ),
        }
        for name, used_s in once.items():
            found.setdefault(name, []).append(used_s)
    least = {name: min(values) for name, values in found.items()}
    bound = least["decode_s"] + least["scale_s"] + least["encode_s"]
    return {
        **least,
        "bound_s": bound,
        "ours_to_bound": least["ours_s"] / bound,
        "ours_to_bound_by_default": least["ours_s"]
        / (bound - least["scale_s"] + least["scale_by_default_s"]),
        "ours_to_one_by_one": least["ours_s"] / least["one_by_one_s"],
        "copied_top_to_one_by_one": least["copied_top_s"] / least["one_by_one_fitting_s"],
        "copied_top_to_ours": least["copied_top_s"] / least["ours_s"],
    }


def worth(folder: Path, every: int) -> Result:
    """Return what the checks say of our result, and VMAF beside a single run's."""
    ours, recorded = folder / "ours", folder / "recorded.mp4"
    playlists = sorted(ours.glob("v*/index.m3u8"))
    found: Result = {
        "source_frames": frame_count(recorded),
        "fewest_frames": min(frame_count(path) for path in playlists),
        "irregular_steps": sum(irregular(path) for path in playlists),
        "faults_of_strict_check": len(check(ours)) + len(check(folder / "copied")),
        "sound_to_picture_ms": 1000 * abs(_end_s(ours / "audio/index.m3u8") - _end_s(playlists[0])),
    }
    for path in playlists if every else ():
        name = path.parent.name
        found[f"{name}_vmaf"] = vmaf(path, recorded, every=every)
        found[f"{name}_vmaf_single_run"] = vmaf(folder / f"{name}.m3u8", recorded, every=every)
    return found


def _end_s(path: Path) -> float:
    with av.open(str(path)) as container:
        stream = container.streams[0]
        ends = [p.pts + (p.duration or 0) for p in container.demux(stream) if p.pts is not None]
        return float(max(ends) * stream.time_base)


def main() -> None:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seconds", type=int, default=60, help="length of the clip")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--every", type=int, default=10, help="VMAF of one frame in so many")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        result = costs(folder, options.seconds, options.rounds) | worth(folder, options.every)
    rounded = {name: round(value, 3) for name, value in result.items()}
    if options.json:
        print(json.dumps(rounded))
    else:
        print("\n".join(f"{name:<26}{value:>10}" for name, value in rounded.items()))


if __name__ == "__main__":
    main()
