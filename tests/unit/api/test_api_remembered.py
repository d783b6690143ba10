"""Redis keeps what does not change any more; the API works without it, and never waits for long."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext

from worker_images.api import answers, cache, playback
from worker_images.api.models import Video, VideoJob


@pytest.fixture
def ready(api: Any, uploaded: Video, queue: Any) -> Video:
    assert api.complete(uploaded.pk).status_code == 200
    VideoJob.objects.update(state="SUCCEEDED")
    Video.objects.update(state="READY", duration_s=61.0)
    for key in (answers.progress_key(1, uploaded.pk), answers.watch_key(uploaded.pk)):
        cache.guarded(partial(caches["default"].delete, key), lambda: None)
    return uploaded


def queries_of(call: Any) -> tuple[Any, int]:
    with CaptureQueriesContext(connection) as queries:
        answer = call()
    return answer, len(queries)


def test_a_finished_video_is_read_from_the_database_once(
    redis: Any, api: Any, ready: Video
) -> None:
    first, asked = queries_of(lambda: api.progress(ready.pk))
    again, asked_again = queries_of(lambda: api.progress(ready.pk))
    assert asked > 0
    assert asked_again == 0
    assert {**first.json(), "watch_url": ""} == {**again.json(), "watch_url": ""}
    assert again.json()["watch_url"].startswith("http://testserver/watch/")
    assert (
        0
        < caches["default"]
        ._cache.get_client()
        .ttl(caches["default"].make_key(answers.progress_key(1, ready.pk)))
        <= answers.KEPT_S
    )


def test_another_tenant_does_not_see_what_is_kept(redis: Any, api: Any, ready: Video) -> None:
    assert api.progress(ready.pk).status_code == 200
    assert type(api)(tenant_id=2).progress(ready.pk).status_code == 404


@pytest.mark.parametrize("state", ["UPLOADED", "PROCESSING", "FAILED"])
def test_what_may_still_change_is_not_kept(redis: Any, api: Any, ready: Video, state: str) -> None:
    Video.objects.update(state=state)
    assert api.progress(ready.pk).json()["status"] == state
    Video.objects.update(state="READY")
    assert api.progress(ready.pk).json()["status"] == "READY"


def test_a_retry_ends_what_is_kept_at_once(redis: Any, api: Any, ready: Video) -> None:
    link = playback.token(ready.pk)
    assert api.progress(ready.pk).json()["status"] == "READY"
    assert playback.video_of(link).state == "READY"
    assert api.retry(ready.pk).status_code == 202
    assert api.progress(ready.pk).json()["status"] == "UPLOADED"
    assert playback.video_of(link).state == "UPLOADED"


def test_what_was_read_before_a_change_is_not_kept_after_it(redis: Any) -> None:
    def read_while_it_changes() -> dict[str, Any]:
        answers.forget_video(1, 7)
        return {"status": "READY"}

    key = answers.progress_key(1, 7)
    answers.remembered(key, read_while_it_changes, lasting=lambda facts: True)
    fresh = answers.remembered(key, lambda: {"status": "UPLOADED"}, lasting=lambda facts: False)
    assert fresh == {"status": "UPLOADED"}


def test_a_page_and_its_playlists_ask_the_database_once(redis: Any, ready: Video) -> None:
    link = playback.token(ready.pk)
    first, asked = queries_of(lambda: playback.video_of(link))
    again, asked_again = queries_of(lambda: playback.video_of(link))
    assert (asked, asked_again) == (1, 0)
    assert (again.pk, again.tenant_id, again.title) == (first.pk, 1, "함수")


def test_with_redis_stopped_every_answer_comes_from_the_database(
    redis: Any, api: Any, ready: Video
) -> None:
    assert api.progress(ready.pk).status_code == 200
    redis.stop()
    for _ in range(3):
        answer, asked = queries_of(lambda: api.progress(ready.pk))
        assert (answer.status_code, answer.json()["status"]) == (200, "READY")
        assert asked > 0
    assert api.retry(ready.pk).status_code == 202
    assert api.progress(ready.pk).json()["status"] == "UPLOADED"


@pytest.fixture
def silent_redis(redis: Any) -> Iterator[None]:
    """A server at Redis's address that takes connections and answers nothing."""
    redis.stop()
    with socket.create_server(redis._address, backlog=64):
        yield


@pytest.mark.usefixtures("silent_redis")
def test_a_redis_that_hangs_is_asked_by_one_request_and_then_by_none(
    api: Any, ready: Video
) -> None:
    cache.circuit.worked()
    assert api.progress(ready.pk).status_code == 200
    assert cache.circuit.is_open
    asked: list[str] = []
    for _ in range(5):
        assert cache.guarded(lambda: asked.append("redis"), lambda: None) is None
        assert api.progress(ready.pk).status_code == 200
    assert not asked


def test_the_one_that_asks_a_redis_that_hangs_is_through_within_a_second() -> None:
    options = settings.CACHES["default"]["OPTIONS"]
    tries = options["retry"].get_retries() + 1
    connects_s = tries * tries * options["socket_connect_timeout"]
    reads_s = tries * options["socket_timeout"]
    assert max(connects_s, reads_s + tries * options["socket_connect_timeout"]) < 1
