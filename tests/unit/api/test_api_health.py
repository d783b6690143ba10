"""/healthz, /health and /metrics."""

from __future__ import annotations

import re
from threading import Event
from typing import Any

import pytest

from worker_images.api.health import Health

ALL_OK = {
    **{name: "ok" for name in ("database", "redis", "storage", "queue")},
    "configuration": "0123456789ab",
}


@pytest.fixture
def dependencies(api: Any, redis: Any, queue: Any) -> dict[str, Any]:
    return {"redis": redis, "queue": queue}


def test_healthz_touches_nothing() -> None:
    from django.test import Client

    answer = Client().get("/healthz", headers={"Host": "anything"})
    assert (answer.status_code, answer.content) == (200, b"ok")


def test_health_is_200_with_one_field_a_dependency(api: Any, dependencies: Any) -> None:
    answer = api.get("/health")
    assert (answer.status_code, answer.json()) == (200, ALL_OK)


@pytest.mark.parametrize("name", ["redis", "queue"])
def test_health_names_the_server_that_is_down(api: Any, dependencies: Any, name: str) -> None:
    dependencies[name].stop()
    answer = api.get("/health")
    assert (answer.status_code, answer.json()) == (503, {**ALL_OK, name: "failed"})
    dependencies[name].start()
    assert api.get("/health").status_code == 200


@pytest.mark.usefixtures("dependencies")
def test_health_sees_that_the_bucket_is_gone(api: Any, aws: Any) -> None:
    aws.delete_bucket(Bucket="academy-video")
    assert api.get("/health").json() == {**ALL_OK, "storage": "failed"}


@pytest.mark.usefixtures("dependencies")
def test_health_sees_that_the_database_refuses(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import connections

    monkeypatch.setitem(connections.settings["default"], "PORT", 1)
    answer = api.get("/health")
    assert (answer.status_code, answer.json()) == (503, {**ALL_OK, "database": "failed"})


@pytest.mark.parametrize("port", ["storage", "sender"])
def test_a_service_that_hangs_holds_no_request_longer_than_the_balancer_waits(port: str) -> None:
    from worker_images.api import ports

    config = getattr(ports, port)()._client.meta.config
    tries_s = config.retries["total_max_attempts"] * (config.connect_timeout + config.read_timeout)
    assert tries_s < 30


def test_a_database_that_vanished_is_given_up_while_a_person_waits() -> None:
    from django.db import connection

    found = connection.get_connection_params()
    silence_s = found["keepalives_idle"] + found["keepalives_interval"] * found["keepalives_count"]
    assert silence_s + found["tcp_user_timeout"] / 1000 + found["connect_timeout"] < 20


def test_a_check_that_hangs_is_reported_and_not_started_again() -> None:
    release, started = Event(), []

    def hang() -> None:
        started.append(1)
        release.wait(30)

    health = Health({"slow": hang, "fast": lambda: None}, deadline_s=0.05)
    try:
        for _ in range(3):
            report = health.report()
            assert report["fast"] == "ok"
            assert "no answer" in report["slow"]
        assert len(started) == 1
    finally:
        release.set()


@pytest.mark.usefixtures("queue")
def test_metrics_show_requests_by_route_and_the_outbox(api: Any, uploaded: Any, queue: Any) -> None:
    queue.stop()
    api.complete(uploaded.pk)
    text = api.get("/metrics").content.decode()
    route = re.escape("/api/v1/media/videos/<int:video_id>/upload/complete/")
    assert re.search(
        rf'academy_api_requests_total{{method="POST",route="{route}",status="503"}} [1-9]', text
    )
    assert "academy_video_backlog 1.0" in text
    assert 'academy_jobs{kind="video",state="QUEUED"} 1.0' in text
    assert 'academy_jobs{kind="text",state="SENDING"} 0.0' in text
    assert 'academy_workers{kind="video",state="busy"} 0.0' in text
    assert "academy_outbox_pending 1.0" in text
    assert "academy_outbox_failing 1.0" in text
    assert re.search(r"academy_outbox_oldest_age_seconds 0\.\d+", text)


def test_metrics_through_the_load_balancer_need_the_key(api: Any) -> None:
    assert api.get("/metrics", X_Forwarded_For="203.0.113.9").status_code == 403
    with_key = api.get(
        "/metrics", X_Forwarded_For="203.0.113.9", X_Internal_Key="unit-internal-key"
    )
    assert with_key.status_code == 200


def test_the_database_is_asked_once_for_scrapes_that_come_together(api: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        for _ in range(5):
            assert "academy_database_up 1.0" in api.get("/metrics").content.decode()
    assert len(queries) == 5
