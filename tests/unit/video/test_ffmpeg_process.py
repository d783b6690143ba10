"""The process: it dies with its worker, a hang ends it, and its failures are told apart."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from config.contracts.messages import VideoJob
from tests.unit.video.conftest import HLS, encoded
from worker_images.base.cancellation import Cancellation
from worker_images.base.clock import SystemClock
from worker_images.base.errors import Permanent, Retryable, TimedOut
from worker_images.base.testing import ManualClock
from worker_images.video.ffmpeg import Ffmpeg, Progress

Clip = Callable[..., Path]
ROOT = Path(__file__).parents[3]


def script(code: str) -> list[str]:
    """Return a command that stands in for ffmpeg."""
    return [sys.executable, "-c", code]


def run(code: str, folder: Path, cancellation: Cancellation | None = None) -> None:
    Ffmpeg(SystemClock()).run(script(code), folder, cancellation or Cancellation(), lambda s: None)


def test_progress_is_read_however_the_pipe_cuts_it() -> None:
    progress = Progress()
    progress.feed(b"frame=1\nout_time_us=15")
    assert progress.encoded_s == 0
    progress.feed(b"00000\nprogress=continue\nout_time_us=N/A\nout_time_us=1400000\n")
    assert progress.encoded_s == 1.5


def test_outputs_are_read_to_their_ends_by_their_sinks(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "for name, size in zip(sys.argv[1:], (300_000, 5)):\n"
        "    open(int(name.split(':')[1]), 'wb').write(name[:4].encode() * size)"
    )
    large, small = bytearray(), bytearray()
    Ffmpeg(SystemClock()).run(
        [*script(code), "{v1}", "{v2}"],
        tmp_path,
        Cancellation(),
        lambda s: None,
        {"{v1}": large.extend, "{v2}": small.extend},
    )
    assert (bytes(large), bytes(small)) == (b"pipe" * 300_000, b"pipe" * 5)


def test_what_a_sink_raises_ends_the_process(tmp_path: Path) -> None:
    def refuse(data: bytes) -> None:
        raise OSError("bucket refuses")

    code = "import sys, time; open(int(sys.argv[1][5:]), 'wb', 0).write(b'x'); time.sleep(600)"
    with pytest.raises(OSError, match="bucket refuses"):
        Ffmpeg(SystemClock()).run(
            [*script(code), "{v1}"], tmp_path, Cancellation(), lambda s: None, {"{v1}": refuse}
        )


def test_the_source_that_does_not_answer_is_worth_another_attempt(tmp_path: Path) -> None:
    url = "http://store/key?X-Amz-Signature=secret"
    code = f"import sys; sys.exit('Error opening input {url}: Connection refused')"
    with pytest.raises(Retryable) as caught:
        Ffmpeg(SystemClock()).run([*script(code), url], tmp_path, Cancellation(), lambda s: None)
    assert caught.value.code == "FFMPEG_RESOURCES"
    assert "secret" not in caught.value.message


def test_a_killed_process_is_worth_another_attempt(tmp_path: Path) -> None:
    with pytest.raises(Retryable) as caught:
        run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", tmp_path)
    assert caught.value.code == "FFMPEG_KILLED"


def test_a_full_disk_is_worth_another_attempt(tmp_path: Path) -> None:
    with pytest.raises(Retryable) as caught:
        run(
            "import sys; sys.exit('write: No space left on device')",
            tmp_path,
        )
    assert caught.value.code == "FFMPEG_RESOURCES"


def test_any_other_failure_is_final(tmp_path: Path) -> None:
    with pytest.raises(Permanent) as caught:
        run("import sys; sys.exit('Invalid data found')", tmp_path)
    assert caught.value.code == "ENCODE_FAILED"


def test_a_process_that_reports_no_progress_is_ended(tmp_path: Path) -> None:
    clock = ManualClock()
    code = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(600)"

    def wait_for_it(encoded_s: float) -> None:
        if (tmp_path / "pid").exists():
            clock.advance(301)

    with pytest.raises(Retryable) as caught:
        Ffmpeg(clock).run(script(code), tmp_path, Cancellation(), wait_for_it)
    assert caught.value.code == "FFMPEG_STALLED"
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_the_time_limit_ends_the_process_with_its_own_reason(tmp_path: Path) -> None:
    cancellation = Cancellation()
    cancellation.cancel(TimedOut("TIME_LIMIT", "too long"))
    with pytest.raises(TimedOut):
        run("import time; time.sleep(600)", tmp_path, cancellation)


WORKER = """
import sys
from pathlib import Path
from config.contracts.messages import VideoJob
from tests.unit.video.conftest import HLS, KEY, encoder
from tests.unit.video.http_source import HttpStorage, http_storage
from worker_images.base.testing import context

put = HttpStorage.put_file
def put_file(self, key, path, *, content_type, cache_control):
    put(self, key, path, content_type=content_type, cache_control=cache_control)
    target = Path(sys.argv[2]) / key
    target.parent.mkdir(parents=True, exist_ok=True)
    # Whole or not at all, as an object store puts it: the worker is killed at any moment.
    target.with_suffix(".part").write_bytes(path.read_bytes())
    target.with_suffix(".part").rename(target)
    if "/v1/" in key:
        print("put", key, flush=True)

HttpStorage.put_file = put_file
with http_storage({KEY: Path(sys.argv[1]).read_bytes()}) as storage:
    encoder(storage, part_s=20)(VideoJob("j", 7, 1, KEY), context())
"""


def test_a_worker_killed_in_the_middle_leaves_no_ffmpeg_and_the_next_one_the_same_result(
    clips: Clip, job: VideoJob, tmp_path: Path
) -> None:
    clip = clips("long.mp4", size="640x360", seconds=20)
    work, bucket = tmp_path / "work", tmp_path / "bucket"
    work.mkdir()
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(clip), str(bucket)],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(work), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdout is not None
    assert worker.stdout.readline().startswith(f"put {HLS}v1/index0.m4s")
    children = psutil.Process(worker.pid).children(recursive=True)
    assert [child for child in children if "ffmpeg" in child.exe()]
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []
    assert not (bucket / HLS / "master.m3u8").exists()
    left = {path.relative_to(bucket).as_posix(): path for path in bucket.rglob("*.m4s")}
    rerun = encoded(clip, job, part_s=20)
    for key, path in left.items():
        assert path.read_bytes() == rerun.objects[key].data
    assert f"{HLS}master.m3u8" in rerun.objects
