"""A deletion takes one video, never its neighbours, and never under a running job."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.contracts.messages import DeleteVideo
from worker_images.base.cancellation import Cancellation
from worker_images.base.errors import HandedBack, Permanent
from worker_images.base.testing import ManualClock, MemoryStorage
from worker_images.base.testing_status import MemoryStatus
from worker_images.video.delete import DeleteVideoFiles

RAW = "tenants/3/video/raw/s/a.mp4"
KEPT = ["tenants/3/video/hls/10/master.m3u8", "tenants/3/video/raw/s/b.mp4"]


def message(**changes: object) -> DeleteVideo:
    fields: dict[str, object] = {
        "tenant_id": 3,
        "video_id": 1,
        "file_key": RAW,
        "hls_prefix": "tenants/3/video/hls/1/",
        "created_at": "2026-01-01T00:00:00Z",
    }
    return DeleteVideo(**{**fields, **changes})  # type: ignore[arg-type]


def deletion(storage: MemoryStorage, status: MemoryStatus | None = None) -> DeleteVideoFiles:
    """Return the task where no row of a video says anything."""
    return DeleteVideoFiles(storage, status or MemoryStatus(ManualClock()), lambda message: False)


@pytest.fixture
def storage() -> MemoryStorage:
    own = [RAW, "tenants/3/video/hls/1/master.m3u8", "tenants/3/video/hls/1/v1/index0.m4s"]
    return MemoryStorage(dict.fromkeys([*own, *KEPT], b"x"))


def test_one_video_goes_and_its_neighbours_stay(storage: MemoryStorage) -> None:
    delete = deletion(storage)
    delete(message(), Cancellation())
    assert sorted(storage.objects) == KEPT
    delete(message(), Cancellation())


@pytest.mark.parametrize(
    "changes",
    [
        {"hls_prefix": "tenants/3/video/hls/10/"},
        {"hls_prefix": "tenants/3/video/hls/"},
        {"tenant_id": 4},
        {"file_key": "tenants/4/video/raw/s/a.mp4"},
    ],
)
def test_keys_of_another_video_or_tenant_are_refused(
    storage: MemoryStorage, changes: dict[str, object]
) -> None:
    before = sorted(storage.objects)
    with pytest.raises(Permanent, match="FOREIGN_KEYS"):
        deletion(storage)(message(**changes), Cancellation())
    assert sorted(storage.objects) == before


def test_a_running_job_keeps_its_files(storage: MemoryStorage) -> None:
    clock = ManualClock()
    status = MemoryStatus(clock)
    status.add("j", video_id=1)
    status.claim("j", "w", 30)
    with pytest.raises(HandedBack, match="JOB_RUNNING"):
        deletion(storage, status)(message(), Cancellation())
    assert RAW in storage.objects
    clock.advance(31)
    deletion(storage, status)(message(), Cancellation())
    assert RAW not in storage.objects


def test_an_original_that_is_not_the_videos_own_is_kept(storage: MemoryStorage) -> None:
    delete = replace(deletion(storage), contradicts=lambda message: message.file_key == RAW)
    with pytest.raises(Permanent, match="FOREIGN_KEYS"):
        delete(message(), Cancellation())
    assert RAW in storage.objects
