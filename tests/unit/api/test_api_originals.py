"""On a store without rules for it, the API deletes originals: finished, old, and no other."""

from __future__ import annotations

import uuid
from datetime import timedelta
from threading import Event

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.contracts.states import OPEN_JOB_STATES, VideoJobState, VideoState
from worker_images.api import jobs, originals
from worker_images.api.errors import Conflict
from worker_images.api.models import Video, VideoJob

DAYS = 30

pytestmark = pytest.mark.usefixtures("database")


def video(state: VideoState = VideoState.READY) -> Video:
    return Video.objects.create(
        tenant_id=1, file_key=f"tenants/1/video/raw/s/{uuid.uuid4()}.mp4", state=state.value
    )


def job(of: Video, state: VideoJobState, finished_days_ago: float | None) -> None:
    finished = None
    if finished_days_ago is not None:
        finished = timezone.now() - timedelta(days=finished_days_ago)
    VideoJob.objects.create(video=of, tenant_id=1, state=state.value, finished_at=finished)


def sweep() -> list[str]:
    """Return the keys that are deleted now."""
    deleted: list[str] = []
    while originals.expire_next(deleted.append, DAYS):
        pass
    return deleted


def test_the_original_of_a_video_finished_long_ago_goes_once() -> None:
    old, young = video(), video()
    job(old, VideoJobState.SUCCEEDED, DAYS + 1)
    job(young, VideoJobState.SUCCEEDED, DAYS - 1)
    assert sweep() == [old.file_key]
    assert sweep() == []


STATES = st.tuples(
    st.sampled_from(VideoState),
    st.lists(
        st.tuples(st.sampled_from(VideoJobState), st.floats(0, 2 * DAYS)),
        max_size=3,
    ),
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(STATES)
def test_no_unfinished_job_ever_loses_its_original(found) -> None:
    video_state, history = found
    with transaction.atomic():
        made, opened = video(video_state), False
        for state, days_ago in history:
            if state in OPEN_JOB_STATES:
                if opened:
                    continue
                opened = True
            job(made, state, None if state in OPEN_JOB_STATES else days_ago)
        ended = [days for state, days in history if state not in OPEN_JOB_STATES]
        due = video_state == VideoState.READY and not opened and ended and min(ended) > DAYS
        assert sweep() == ([made.file_key] if due else [])
        transaction.set_rollback(True)


def test_a_store_that_refuses_leaves_the_original_due() -> None:
    made = video()
    job(made, VideoJobState.SUCCEEDED, DAYS + 1)

    def refuse(key: str) -> None:
        raise OSError("the store is away")

    with pytest.raises(OSError, match="away"):
        originals.expire_next(refuse, DAYS)
    assert sweep() == [made.file_key]


def test_a_retry_after_that_says_that_the_original_is_gone() -> None:
    made = video()
    job(made, VideoJobState.SUCCEEDED, DAYS + 1)
    # The retry has seen the file, and the sweep comes before it takes the row.
    with pytest.raises(Conflict):
        jobs.retry(made, lambda key: bool(sweep()), lambda queue, body: None)
    made.refresh_from_db()
    assert made.state == VideoState.READY


def test_a_failure_ends_neither_the_loop_nor_the_process() -> None:
    stop, calls = Event(), []

    def expire() -> bool:
        calls.append(1)
        if len(calls) == 1:
            return True
        stop.set()
        raise OSError("the store is away")

    originals.expire_until(stop, expire)
    assert len(calls) == 2


def test_models_and_migrations_agree() -> None:
    from django.core.management import call_command

    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
    assert connection.is_usable()
