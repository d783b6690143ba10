"""Parts: a seam nobody sees or hears, and work that goes on where another worker stopped."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.quality import irregular
from config.contracts.messages import VideoJob
from tests.hls.checker import check
from tests.unit.video.conftest import FFMPEG, HLS, KEY, encoded, encoder, frame_times, save
from tests.unit.video.http_source import HttpStorage, http_storage
from worker_images.base.cancellation import Cancellation
from worker_images.base.clock import SystemClock
from worker_images.base.errors import HandedBack
from worker_images.base.testing import MemoryStorage, context
from worker_images.video.facts import WHOLE
from worker_images.video.ffmpeg import Ffmpeg
from worker_images.video.part import Bench, encode_part
from worker_images.video.plan import make_plan
from worker_images.video.probe import probe
from worker_images.video.testing import MemoryPartLog
from worker_images.video.uploads import Uploads

Clip = Callable[..., Path]
SMALL = "90:100:25,180:300:25"
#: Key frames where segments may begin, and a bitrate below the top rung's.
FITTING = ("-g", "50", "-bf", "2", "-b:v", "150k", "-maxrate", "200k", "-bufsize", "200k")


def seams(clips: Clip, fps: str = "25") -> Path:
    """Return a clip of three parts, whose bitrate is too high for the top rung to be copied."""
    extra = ("-g", "50", "-crf", "10")
    return clips(f"seams-{fps[:2]}.mp4", size="320x180", seconds=11, fps=fps, extra=extra)


@pytest.mark.parametrize("fps", ["25", "30000/1001"])
def test_no_frame_is_lost_and_no_time_irregular_over_the_seams(
    fps: str, clips: Clip, job: VideoJob, tmp_path: Path
) -> None:
    clip = seams(clips, fps)
    folder = save(encoded(clip, job, ladder=SMALL), tmp_path).parent
    for playlist in (folder / "v1/index.m3u8", folder / "v2/index.m3u8"):
        assert frame_times(playlist) == pytest.approx(frame_times(clip), abs=0.0005)
        assert irregular(playlist) == 0
    assert check(folder) == []


def test_a_part_needs_nothing_of_its_neighbours(clips: Clip, job: VideoJob, tmp_path: Path) -> None:
    clip = seams(clips)
    whole = encoded(clip, job, ladder=SMALL)
    with http_storage({KEY: clip.read_bytes()}) as storage:
        video = encoder(storage, ladder=SMALL)
        url = storage.presign_get(KEY, expires_s=60)
        plan = make_plan(probe(url), video.settings, etag="", key_frames_s=())
        with Uploads(storage, HLS, tmp_path) as uploads:
            bench = Bench(
                ffmpeg=FFMPEG,
                url=lambda: url,
                uploads=uploads,
                folder=tmp_path,
                clock=SystemClock(),
                cancellation=Cancellation(),
                on_progress=lambda seconds: None,
            )
            facts = encode_part(plan, 1, bench)
    names = ["v1/index2.m4s", "v1/index3.m4s", "v2/index2.m4s", "v2/index3.m4s"]
    assert list(facts.names()) == names
    for name in names:
        assert storage.objects[HLS + name].data == whole.objects[HLS + name].data


class Interrupted(Exception):  # noqa: N818 - it is no error
    """The worker is gone."""


def interrupted_log(after: int) -> MemoryPartLog:
    """Return a log whose worker dies once it has recorded so many parts."""

    class Dying(MemoryPartLog):
        def record(self, *arguments: Any) -> None:
            super().record(*arguments)
            if len(self.recorded_parts) == after:
                raise Interrupted

    return Dying()


def test_the_next_worker_starts_at_the_first_missing_part(
    clips: Clip, job: VideoJob, tmp_path: Path
) -> None:
    clip = seams(clips)
    log = interrupted_log(after=2)
    with http_storage({KEY: clip.read_bytes()}) as storage:
        with pytest.raises(Interrupted):
            encoder(storage, ladder=SMALL, part_log=log)(job, context(job_id=job.job_id))
        done = list(log.recorded_parts)
        assert f"{HLS}master.m3u8" not in storage.objects
        encoder(storage, ladder=SMALL, part_log=log)(job, context(job_id=job.job_id))
    assert done == [WHOLE, 0]
    assert log.recorded_parts == [WHOLE, 0, 1, 2]
    whole = encoded(clip, job, ladder=SMALL)
    assert {key: found.data for key, found in storage.objects.items()} == {
        key: found.data for key, found in whole.objects.items()
    }


def test_a_recorded_part_whose_segment_is_gone_is_encoded_again(clips: Clip, job: VideoJob) -> None:
    clip = seams(clips)
    log = MemoryPartLog()
    with http_storage({KEY: clip.read_bytes()}) as storage:
        encoder(storage, ladder=SMALL, part_log=log)(job, context(job_id=job.job_id))
        storage.delete(f"{HLS}v2/index3.m4s")
        encoder(storage, ladder=SMALL, part_log=log)(job, context(job_id=job.job_id))
    assert log.recorded_parts == [WHOLE, 0, 1, 2, 1]
    assert f"{HLS}v2/index3.m4s" in storage.objects


def test_another_job_or_another_source_starts_anew(clips: Clip, job: VideoJob) -> None:
    log = MemoryPartLog()
    clip = clips("short.mp4", seconds=0.5).read_bytes()
    with http_storage({KEY: clip}) as storage:
        for job_id in ("a", "b"):
            encoder(storage, ladder=SMALL, part_log=log)(job, context(job_id=job_id))
    assert log.recorded_parts == [WHOLE, 0, WHOLE, 0]


def test_a_source_that_fits_is_copied_and_the_other_rungs_follow_its_key_frames(
    clips: Clip, job: VideoJob, tmp_path: Path
) -> None:
    clip = clips("fits.mp4", size="320x180", seconds=11, fps="25", extra=FITTING)
    folder = save(encoded(clip, job, ladder=SMALL), tmp_path).parent
    assert check(folder) == []
    for playlist in (folder / "v1/index.m3u8", folder / "v2/index.m3u8"):
        assert frame_times(playlist) == pytest.approx(frame_times(clip), abs=0.0005)
    copied = (folder / "v2/init.mp4").read_bytes() + (folder / "v2/index0.m4s").read_bytes()
    (tmp_path / "copied.mp4").write_bytes(copied)
    assert pictures(tmp_path / "copied.mp4") == pictures(clip)[:50]


def test_a_source_with_open_groups_of_pictures_is_encoded_after_all(
    clips: Clip, job: VideoJob, tmp_path: Path
) -> None:
    options = (*FITTING, "-x264-params", "open-gop=1:scenecut=0", "-preset", "veryfast")
    clip = clips("open.mp4", size="320x180", seconds=11, fps="25", extra=options)
    folder = save(encoded(clip, job, ladder=SMALL), tmp_path).parent
    assert check(folder) == []
    assert frame_times(folder / "v2/index.m3u8") == pytest.approx(frame_times(clip), abs=0.0005)


def pictures(path: Path) -> list[str]:
    """Return a hash of every decoded frame."""
    command = [FFMPEG, "-loglevel", "error", "-i", str(path), "-map", "0:v", "-f", "framemd5", "-"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line.split(",")[-1].strip() for line in said.splitlines() if line[0] != "#"]


def test_a_transport_stream_without_an_index_keeps_every_frame(
    clips: Clip, job: VideoJob, tmp_path: Path
) -> None:
    clip = clips("live.ts", size="320x180", seconds=11, fps="25", extra=("-g", "125"))
    folder = save(encoded(clip, job, ladder=SMALL), tmp_path).parent
    assert len(frame_times(folder / "v1/index.m3u8")) == len(frame_times(clip)) == 275
    assert irregular(folder / "v1/index.m3u8") == 0


class SlowStorage(HttpStorage):
    """Counts the segments that are being uploaded at once, and makes them meet."""

    def __init__(self, objects: dict[str, bytes] | None = None) -> None:
        super().__init__(objects)
        self.lock, self.now, self.most = threading.Lock(), 0, 0

    def put_file(self, key: str, path: Path, **headers: Any) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        threading.Event().wait(0.05)
        super().put_file(key, path, **headers)
        with self.lock:
            self.now -= 1


def test_when_the_encoder_ends_only_its_last_segment_is_still_to_be_uploaded(
    clips: Clip, job: VideoJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[tuple[int, int]] = []

    class Watched(Ffmpeg):
        def run(self, *arguments: Any) -> None:
            super().run(*arguments)
            lanes = [sink.__self__ for sink in arguments[-1].values()]
            left.append((lanes[0].bench.uploads.waiting, len(lanes[0].sent)))

    monkeypatch.setattr("worker_images.video.part.Ffmpeg", Watched)
    clip = seams(clips)
    with http_storage({KEY: clip.read_bytes()}) as storage:
        slow = SlowStorage({KEY: clip.read_bytes()})
        slow.address = storage.address
        encoder(slow, ladder=SMALL, segment_s=4, part_s=12)(job, context())
    # Of the sound's three segments and of the picture's three the last is in nobody's hands yet.
    assert left == [(0, 2), (0, 2)]


def test_an_encoder_waits_for_the_upload_of_its_last_segment(tmp_path: Path) -> None:
    storage = SlowStorage()
    with Uploads(storage, HLS, tmp_path) as uploads:
        for number in range(4):
            uploads.send("v1 of 0", f"v1/index{number}.m4s", b"x", Cancellation())
            assert len(storage.writes) >= number
            assert uploads.waiting <= 1
        uploads.settle("v1 of 0", Cancellation())
        assert (len(storage.writes), uploads.waiting) == (4, 0)
    assert storage.most == 1


def test_a_failed_upload_stops_the_encoder_at_its_next_segment(tmp_path: Path) -> None:
    class Refusing(MemoryStorage):
        def put_file(self, *arguments: object, **options: object) -> None:
            raise OSError("bucket refuses")

    with Uploads(Refusing(), HLS, tmp_path) as uploads:
        uploads.send("v1 of 0", "v1/index0.m4s", b"x", Cancellation())
        with pytest.raises(OSError, match="bucket refuses"):
            uploads.send("v1 of 0", "v1/index1.m4s", b"x", Cancellation())
    assert list(tmp_path.iterdir()) == []


def test_a_cancelled_worker_does_not_wait_for_an_upload(tmp_path: Path) -> None:
    gate, cancellation = threading.Event(), Cancellation()

    class Stuck(MemoryStorage):
        def put_file(self, *arguments: object, **options: object) -> None:
            gate.wait()

    with Uploads(Stuck(), HLS, tmp_path) as uploads:
        uploads.send("v1 of 0", "v1/index0.m4s", b"x", cancellation)
        cancellation.cancel(HandedBack("DRAINED", "stop"))
        with pytest.raises(HandedBack):
            uploads.settle("v1 of 0", cancellation)
        gate.set()
