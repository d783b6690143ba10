"""Real encodes: what comes out plays, frame by frame, and a rerun gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import pytest

from config.contracts.messages import VideoJob
from tests.hls.checker import check
from tests.unit.video.conftest import HLS, KEY, encoded, encoder, frame_times, save
from tests.unit.video.http_source import http_storage
from worker_images.base.cancellation import Cancellation
from worker_images.base.errors import HandedBack, Permanent
from worker_images.base.testing import MemoryStorage, context

Clip = Callable[..., Path]


def picture_size(path: Path) -> tuple[int, int]:
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        return frame.width, frame.height


CASES = {
    "landscape.mp4": ({}, [(320, 180), (640, 360)]),
    "portrait.mp4": ({"size": "360x640"}, [(180, 320), (360, 640)]),
    "odd.mp4": ({"size": "641x361", "extra": ("-pix_fmt", "yuv444p")}, [(320, 180), (640, 360)]),
    "silent.mp4": ({"audio": False}, [(320, 180), (640, 360)]),
    "short.mp4": ({"seconds": 0.5}, [(320, 180), (640, 360)]),
    "ntsc.mp4": ({"fps": "30000/1001"}, [(320, 180), (640, 360)]),
    "tiny.mp4": ({"size": "120x90"}, [(120, 90)]),
}


@pytest.mark.parametrize("name", CASES)
def test_every_frame_of_the_source_is_in_every_rendition(
    name: str, clips: Clip, job: VideoJob, tmp_path: Path
) -> None:
    options, sizes = CASES[name]
    clip = clips(name, **options)
    master = save(encoded(clip, job), tmp_path)
    playlists = sorted(master.parent.glob("v*/index.m3u8"))
    assert [picture_size(path) for path in playlists] == sizes
    wanted = frame_times(clip)
    for path in playlists:
        assert frame_times(path) == pytest.approx(wanted, abs=0.002)
    assert check(master.parent) == []


def test_the_source_is_read_by_ranges_and_never_whole(clips: Clip, job: VideoJob) -> None:
    clip = clips("five.mp4", seconds=5, fps="25")
    with http_storage({KEY: clip.read_bytes()}) as storage:
        storage.get_file = None  # type: ignore[assignment, method-assign]
        encoder(storage)(job, context())
        assert f"{HLS}master.m3u8" in storage.objects


def extinf(storage: MemoryStorage, name: str) -> list[float]:
    lines = storage.objects[f"{HLS}{name}/index.m3u8"].data.decode().splitlines()
    return [float(line.split(":")[1][:-1]) for line in lines if line.startswith("#EXTINF")]


def test_segments_begin_at_the_same_times_in_every_rendition(clips: Clip, job: VideoJob) -> None:
    storage = encoded(clips("five.mp4", seconds=5, fps="25"), job)
    assert extinf(storage, "v1") == extinf(storage, "v2") == [2.0, 2.0, 1.0]


def test_each_segment_decodes_by_itself(clips: Clip, job: VideoJob, tmp_path: Path) -> None:
    folder = save(encoded(clips("five.mp4", seconds=5, fps="25"), job), tmp_path).parent / "v1"
    alone = tmp_path / "alone.mp4"
    alone.write_bytes((folder / "init.mp4").read_bytes() + (folder / "index1.m4s").read_bytes())
    assert len(frame_times(alone)) == 50


def test_objects_carry_their_headers_and_the_master_comes_last(clips: Clip, job: VideoJob) -> None:
    storage = encoded(clips("landscape.mp4"), job)
    assert storage.writes[-1] == f"{HLS}master.m3u8"
    segment, playlist = storage.objects[f"{HLS}v1/index0.m4s"], storage.objects[storage.writes[-1]]
    assert segment.cache_control == "public, max-age=31536000, immutable"
    assert playlist.cache_control == "no-cache"
    assert playlist.content_type == "application/vnd.apple.mpegurl"
    assert storage.objects[f"{HLS}thumbnail.jpg"].data[:2] == b"\xff\xd8"
    assert storage.objects[KEY].tags == {"lifecycle": "expire-original"}


def test_a_second_run_writes_the_same_bytes_and_leaves_nothing_else(
    clips: Clip, job: VideoJob
) -> None:
    clip = clips("landscape.mp4")
    first = encoded(clip, job)
    given = {f"{HLS}v9/index0.m4s": b"old", f"{HLS[:-1]}0/x": b"other"}
    with http_storage({KEY: clip.read_bytes(), **given}) as second:
        encoder(second)(job, context())
    assert {k: o.data for k, o in second.objects.items() if k.startswith(HLS)} == {
        k: o.data for k, o in first.objects.items() if k.startswith(HLS)
    }
    assert f"{HLS[:-1]}0/x" in second.objects


def test_progress_rises_to_the_end_and_names_its_steps(clips: Clip, job: VideoJob) -> None:
    reports: list[tuple[float, str]] = []
    clip = clips("five.mp4", seconds=5, fps="25")
    with http_storage({KEY: clip.read_bytes()}) as storage:
        encoder(storage)(job, context(report=lambda p, s, left: reports.append((p, s))))
    percents = [percent for percent, _ in reports]
    assert percents == sorted(percents)
    assert list(dict.fromkeys(step for _, step in reports)) == ["probe", "encode", "publish"]


def test_a_cancelled_encode_publishes_nothing_and_leaves_no_files(
    clips: Clip, job: VideoJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    cancellation = Cancellation()

    def report(percent: float, step: str, seconds_left: float | None) -> None:
        if step == "encode":
            cancellation.cancel(HandedBack("DRAINED", "stop"))

    clip = clips("five.mp4", seconds=5, fps="25")
    with http_storage({KEY: clip.read_bytes()}) as storage, pytest.raises(HandedBack):
        encoder(storage)(job, context(cancellation, report=report))
    assert f"{HLS}master.m3u8" not in storage.objects
    assert list(tmp_path.iterdir()) == []
    assert storage.objects[KEY].tags == {"lifecycle": "keep-original"}


def test_a_missing_source_is_told_to_the_teacher(job: VideoJob) -> None:
    with pytest.raises(Permanent) as caught:
        encoder(MemoryStorage())(job, context())
    assert caught.value.code == "SOURCE_MISSING"


def test_a_retried_video_keeps_its_original_until_it_is_done_again(
    clips: Clip, job: VideoJob
) -> None:
    with http_storage({KEY: clips("short.mp4", seconds=0.5).read_bytes()}) as storage:
        storage.objects[KEY].tags = {"lifecycle": "expire-original"}
        seen = []
        encoder(storage)(
            job, context(report=lambda p, s, left: seen.append(dict(storage.objects[KEY].tags)))
        )
    assert seen[-1] == {"lifecycle": "keep-original"}
    assert storage.objects[KEY].tags == {"lifecycle": "expire-original"}


def test_a_store_that_refuses_tags_fails_no_job(clips: Clip, job: VideoJob) -> None:
    with http_storage({KEY: clips("short.mp4", seconds=0.5).read_bytes()}) as storage:

        def refuse(key: str, tags: dict[str, str]) -> bool:
            raise PermissionError("AccessDenied")

        storage.tag = refuse  # type: ignore[method-assign]
        encoder(storage)(job, context())
    assert storage.writes[-1] == f"{HLS}master.m3u8"


def test_average_bitrate_is_kept_where_it_is_asked_for(clips: Clip, job: VideoJob) -> None:
    clip = clips("noisy.mp4", seconds=4, extra=("-vf", "noise=alls=40:allf=t"))
    storage = encoded(clip, job, ladder="360:300:30", rate_control="abr")
    size = sum(len(o.data) for key, o in storage.objects.items() if "/v1/index" in key)
    assert size * 8 / 4 == pytest.approx(300_000, rel=0.25)
