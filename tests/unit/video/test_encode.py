"""Real encodes: what comes out plays, frame by frame, and a rerun gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import pytest

from config.contracts.messages import VideoJob
from tests.unit.video.conftest import HLS, KEY, encoder, frame_times, save
from tests.unit.video.test_probe import rotate
from worker_images.base.cancellation import Cancellation
from worker_images.base.errors import HandedBack, Permanent
from worker_images.base.testing import MemoryStorage, context
from worker_images.base.work import Context
from worker_images.video.playlist import Segment, listed_segments, measure

Clip = Callable[..., Path]


def encoded(clip: Path, job: VideoJob, **options: object) -> MemoryStorage:
    storage = MemoryStorage({KEY: clip.read_bytes()})
    encoder(storage, **options)(job, context())  # type: ignore[arg-type]
    return storage


def variant_names(storage: MemoryStorage) -> list[str]:
    master = storage.objects[f"{HLS}master.m3u8"].data.decode()
    return [line.split("/")[0] for line in master.splitlines() if line.endswith("index.m3u8")]


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


def test_a_variable_frame_rate_keeps_every_frame_at_its_time(
    clips: Clip, job: VideoJob, tmp_path: Path
) -> None:
    uneven = ("-vf", "select='not(mod(n,7))+lt(mod(n,30),5)'", "-fps_mode", "vfr")
    clip = clips("uneven.mp4", audio=False, extra=uneven)
    master = save(encoded(clip, job), tmp_path)
    assert frame_times(master.parent / "v1/index.m3u8") == pytest.approx(
        frame_times(clip), abs=0.002
    )


def test_a_rotated_phone_video_stands_upright(clips: Clip, job: VideoJob, tmp_path: Path) -> None:
    rotated = rotate(clips("landscape.mp4"), tmp_path)
    master = save(encoded(rotated, job), tmp_path / "out")
    assert picture_size(master.parent / "v2/index.m3u8") == (360, 640)


def test_segments_begin_at_the_same_times_in_every_rendition(clips: Clip, job: VideoJob) -> None:
    storage = encoded(clips("five.mp4", seconds=5, fps="25"), job)
    listed = [
        [s.duration_s for s in listed_segments(storage.objects[key].data.decode())]
        for key in storage.list_keys(HLS)
        if key.endswith("index.m3u8")
    ]
    assert listed == [[2.0, 2.0, 1.0]] * 2


def test_each_segment_decodes_by_itself(clips: Clip, job: VideoJob, tmp_path: Path) -> None:
    folder = save(encoded(clips("five.mp4", seconds=5, fps="25"), job), tmp_path).parent / "v1"
    alone = tmp_path / "alone.mp4"
    alone.write_bytes((folder / "init.mp4").read_bytes() + (folder / "index1.m4s").read_bytes())
    assert len(frame_times(alone)) == 50


def test_announced_bandwidth_is_within_a_tenth_of_the_bytes(clips: Clip, job: VideoJob) -> None:
    storage = encoded(clips("five.mp4", seconds=5, fps="25"), job)
    master = storage.objects[f"{HLS}master.m3u8"].data.decode().splitlines()
    for name in variant_names(storage):
        line = master[master.index(f"{name}/index.m3u8") - 1]
        announced = int(line.split("BANDWIDTH=")[1].split(",")[0])
        folder = f"{HLS}{name}/"
        listed = listed_segments(storage.objects[f"{folder}index.m3u8"].data.decode())
        sizes = [Segment(s.duration_s, len(storage.objects[folder + s.name].data)) for s in listed]
        assert announced == pytest.approx(measure(sizes, 2).peak, rel=0.1)
        assert "mp4a.40.2" in line


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
    stale = f"{HLS}v9/index0.m4s"
    second = MemoryStorage({KEY: clip.read_bytes(), stale: b"old", f"{HLS[:-1]}0/x": b"other"})
    encoder(second)(job, context())
    assert {k: o.data for k, o in second.objects.items() if k.startswith(HLS)} == {
        k: o.data for k, o in first.objects.items() if k.startswith(HLS)
    }
    assert f"{HLS[:-1]}0/x" in second.objects


def test_progress_rises_to_the_end_and_names_its_steps(clips: Clip, job: VideoJob) -> None:
    reports: list[tuple[float, str]] = []
    storage = MemoryStorage({KEY: clips("five.mp4", seconds=5, fps="25").read_bytes()})
    encoder(storage)(job, Context(Cancellation(), lambda p, s, left: reports.append((p, s))))
    percents = [percent for percent, _ in reports]
    assert percents == sorted(percents)
    assert list(dict.fromkeys(step for _, step in reports)) == [
        "download",
        "probe",
        "encode",
        "publish",
    ]


def test_a_cancelled_encode_publishes_nothing_and_leaves_no_files(
    clips: Clip, job: VideoJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    storage = MemoryStorage({KEY: clips("five.mp4", seconds=5, fps="25").read_bytes()})
    cancellation = Cancellation()

    def report(percent: float, step: str, seconds_left: float | None) -> None:
        if step == "encode":
            cancellation.cancel(HandedBack("DRAINED", "stop"))

    with pytest.raises(HandedBack):
        encoder(storage)(job, Context(cancellation, report))
    assert f"{HLS}master.m3u8" not in storage.objects
    assert list(tmp_path.iterdir()) == []
    assert storage.objects[KEY].tags == {}


def test_a_missing_source_is_told_to_the_teacher(job: VideoJob) -> None:
    with pytest.raises(Permanent) as caught:
        encoder(MemoryStorage())(job, context())
    assert caught.value.code == "SOURCE_MISSING"
