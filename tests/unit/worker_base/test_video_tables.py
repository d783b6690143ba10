"""The video worker's own SQL, on the tables that the migrations make."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any
from uuid import uuid4

import pytest

from config.contracts.messages import DeleteVideo
from worker_images.base.database import Database
from worker_images.base.testing import context
from worker_images.video.delete import contradicted_by
from worker_images.video.facts import WHOLE, PartFacts, StreamFacts
from worker_images.video.part_log import PostgresPartLog
from worker_images.video.segments import SegmentFacts

OWN, OTHER = "tenants/3/video/raw/s/a.mp4", "tenants/3/video/raw/s/b.mp4"


@pytest.mark.parametrize(
    ("rows", "contradicted"),
    [
        ([], False),
        ([(1, 3, OWN)], False),
        ([(1, 3, OWN), (2, 3, OTHER)], False),
        ([(1, 3, OTHER)], True),
        ([(1, 4, OWN)], True),
        ([(2, 3, OWN)], True),
    ],
)
def test_only_a_videos_own_original_may_be_deleted(
    rows: list[tuple[int, int, str]], contradicted: bool, database: Database
) -> None:
    with database.cursor() as cursor:
        for row in rows:
            cursor.execute("INSERT INTO videos (id, tenant_id, file_key) VALUES (%s, %s, %s)", row)
    message = DeleteVideo(3, 1, OWN, "tenants/3/video/hls/1/", "2026-01-01T00:00:00Z")
    assert contradicted_by(database.cursor)(message) == contradicted


def test_parts_are_recorded_once_for_their_job_and_plan(database: Database) -> None:
    def transaction() -> AbstractContextManager[Any]:
        return database.cursor()

    jobs = [str(uuid4()), str(uuid4())]
    with database.cursor() as cursor:
        for video_id, job_id in enumerate(jobs, start=1):
            cursor.execute(
                "INSERT INTO videos (id, tenant_id, file_key) VALUES (%s, 3, %s)",
                (video_id, f"{OWN}{video_id}"),
            )
            cursor.execute(
                "INSERT INTO video_jobs (id, video_id, tenant_id) VALUES (%s, %s, 3)",
                (job_id, video_id),
            )
    log, (ours, other) = (
        PostgresPartLog(),
        [context(job_id=job_id, transactions=transaction) for job_id in jobs],
    )
    facts = PartFacts({"v1": StreamFacts(b"init", 90_000, (SegmentFacts(0, 0, 540_000, 7),))})
    for part in (WHOLE, 0, 0):
        log.record(ours, "plan", part, facts)
    assert log.recorded(ours, "plan") == {WHOLE: facts, 0: facts}
    assert log.recorded(ours, "another") == {}
    assert log.recorded(other, "plan") == {}
