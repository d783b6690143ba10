"""The main job: an uploaded lecture becomes HLS that decodes frame by frame."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from config.contracts.storage_keys import MASTER_PLAYLIST, hls_prefix
from tests.hls.checker import check
from tests.local.line.media import frame_size, frame_times
from tests.local.line.platform import VIDEO_GROUP, Platform, wait_for

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def lecture(platform: Platform, clip: Path) -> int:
    """The id of a lecture that went through the line."""
    video = platform.upload(clip)
    answer = platform.complete(video)
    assert answer.status_code == 200, answer.text
    ended = platform.ended(video)
    assert ended["status"] == "READY", ended
    return video


def download(platform: Platform, video: int, target: Path) -> Path:
    """Fetch a video's HLS rendition below `target` and return its master playlist."""
    s3, prefix = platform.client("s3"), hls_prefix(1, video)
    listed = s3.list_objects_v2(Bucket="academy-video", Prefix=prefix)
    for item in listed["Contents"]:
        path = target / item["Key"].removeprefix(prefix)
        path.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file("academy-video", item["Key"], str(path))
    return target / MASTER_PLAYLIST


def test_every_rendition_decodes_to_the_frames_of_the_source(
    platform: Platform, clip: Path, lecture: int, tmp_path: Path
) -> None:
    master = download(platform, lecture, tmp_path)
    source = frame_times(clip)
    sizes = {}
    for rung in (1, 2):
        playlist = master.parent / f"v{rung}" / "index.m3u8"
        assert len(frame_times(playlist)) == len(source), rung
        sizes[rung] = frame_size(playlist)
    assert sizes == {1: (640, 360), 2: (1280, 720)}
    assert check(master.parent) == []
    for name in ("thumbnail.jpg", "sprite-1.jpg", "thumbnails.vtt"):
        assert (master.parent / name).stat().st_size > 0


def test_renditions_switch_at_the_same_times(
    platform: Platform, lecture: int, tmp_path: Path
) -> None:
    master = download(platform, lecture, tmp_path)
    lengths = [
        [line for line in playlist.read_text().splitlines() if line.startswith("#EXTINF")]
        for playlist in (master.parent / "v1/index.m3u8", master.parent / "v2/index.m3u8")
    ]
    assert lengths[0] == lengths[1]
    assert len(lengths[0]) == 2


def test_the_page_that_plays_it_serves_player_playlist_and_segments(
    platform: Platform, lecture: int
) -> None:
    watch = platform.progress(lecture)["watch_url"]
    page = requests.get(watch, timeout=10)
    assert page.status_code == 200
    assert "hls" in page.text
    playlist = requests.get(f"{watch}hls/v1/index.m3u8", timeout=10)
    assert playlist.text.startswith("#EXTM3U")
    segment = requests.get(f"{watch}hls/v1/index0.m4s", timeout=10)
    assert segment.status_code == 200
    assert segment.headers["Content-Type"] == "video/iso.segment"
    sound = requests.get(f"{watch}hls/audio/index.m3u8", timeout=10)
    assert sound.text.startswith("#EXTM3U")


def test_backlog_was_published_under_the_documented_dimension(
    platform: Platform, lecture: int
) -> None:
    found = platform.client("cloudwatch").list_metrics(
        Namespace="Academy/VideoProcessing",
        MetricName="BacklogCount",
        Dimensions=[{"Name": "AutoScalingGroupName", "Value": VIDEO_GROUP}],
    )
    sets = [
        {dimension["Name"]: dimension["Value"] for dimension in metric["Dimensions"]}
        for metric in found["Metrics"]
    ]
    assert {"AutoScalingGroupName": VIDEO_GROUP} in sets


def test_the_fleet_returns_to_zero_and_leaves_no_message(platform: Platform, lecture: int) -> None:
    wait_for(
        "the fleet is empty",
        lambda: platform.group()["DesiredCapacity"] == 0 and not platform.group()["Instances"],
        within_s=120,
    )
    assert set(platform.queue_counts().values()) == {0}
