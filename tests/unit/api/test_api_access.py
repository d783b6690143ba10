"""Who may call what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.urls import resolve

from config.contracts import api_paths
from worker_images.api import playback
from worker_images.api.models import Video


@pytest.mark.usefixtures("queue")
@pytest.mark.parametrize("call", ["complete", "retry", "progress"])
def test_a_video_of_another_tenant_does_not_exist(api: Any, uploaded: Video, call: str) -> None:
    stranger = type(api)(tenant_id=2)
    answer = getattr(stranger, call)(uploaded.pk)
    assert answer.status_code == 404
    assert getattr(stranger, call)(10**6).json() == answer.json()
    assert Video.objects.get().state == "PENDING"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong", "X-Tenant-Id": "1"},
        {"Authorization": "Basic unit-operator-token", "X-Tenant-Id": "1"},
        {"Authorization": "Bearer ", "X-Tenant-Id": "1"},
        {"Authorization": "Bearer unit-operator-token"},
        {"Authorization": "Bearer unit-operator-token", "X-Tenant-Id": "0"},
        {"Authorization": "Bearer unit-operator-token", "X-Tenant-Id": "-1"},
        {"Authorization": "Bearer unit-operator-token", "X-Tenant-Id": "one"},
        {"Authorization": "Bearer unit-operator-token", "X-Tenant-Id": "9" * 5000},
        {"X-Internal-Key": "unit-internal-key", "X-Tenant-Id": "1"},
    ],
)
def test_staff_calls_without_token_and_tenant_are_401(api: Any, headers: dict[str, str]) -> None:
    answer = api.client.get("/api/v1/media/videos/1/progress/", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("key", [None, "", "wrong", "unit-operator-token"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "fleets/"),
        ("GET", "video/backlog-count/"),
        ("POST", "video/scan-stuck/"),
        ("POST", "video/dlq-mark-dead/"),
    ],
)
def test_internal_calls_without_the_key_are_403(
    internal: Callable[..., Any], method: str, path: str, key: str | None
) -> None:
    assert internal(method, path, {}, key=key).status_code == 403


@pytest.mark.parametrize("key", [None, "", "unit-internal-key"])
def test_internal_calls_are_denied_when_no_key_is_configured(
    internal: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    monkeypatch.setattr(settings, "API", replace(settings.API, internal_key=""))
    assert internal("GET", "video/backlog-count/", key=key).status_code == 403


def test_an_allowed_origin_may_call_and_another_may_not(api: Any) -> None:
    preflight = {"Access-Control-Request-Method": "POST", "Origin": "https://app.example"}
    path = "/api/v1/media/videos/upload/init/"
    allowed = api.client.options(path, headers=preflight)
    assert allowed.status_code == 204
    assert allowed["Access-Control-Allow-Origin"] == "https://app.example"
    assert "X-Tenant-Id" in allowed["Access-Control-Allow-Headers"]
    other = api.client.options(path, headers={**preflight, "Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in other
    assert "Origin" in other["Vary"]


def test_a_star_allows_every_origin(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "API", replace(settings.API, cors_origins=("*",)))
    answer = api.get("/nothing", Origin="http://localhost:5173")
    assert answer["Access-Control-Allow-Origin"] == "http://localhost:5173"
    assert "Access-Control-Allow-Origin" not in api.get("/nothing")


@pytest.mark.parametrize(
    "path",
    [
        api_paths.HEALTH,
        api_paths.METRICS,
        api_paths.UPLOAD_INIT,
        api_paths.BACKLOG_COUNT,
        api_paths.upload_complete(7),
        api_paths.progress(7),
    ],
)
def test_the_contracts_paths_are_the_apis(path: str) -> None:
    assert resolve(path).func is not None


def test_a_failure_of_ours_is_a_json_500_with_a_logged_traceback_and_a_404_is_not(
    api: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert api.get("/watch/forged/").status_code == 404
    assert not [record for record in caplog.records if record.exc_info]

    def break_down(video_id: int) -> str:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(playback, "video_of", break_down)
    answer = api.get("/watch/forged/")
    assert (answer.status_code, answer.json()["code"]) == (500, "SERVER_ERROR")
    [failed] = [record for record in caplog.records if record.exc_info]
    assert failed.message == "request failed"


def test_an_unknown_address_is_a_json_404(api: Any) -> None:
    answer = api.get("/nothing/here")
    assert (answer.status_code, answer.json()) == (
        404,
        {"detail": "찾을 수 없습니다.", "code": "NOT_FOUND"},
    )


def test_a_foreign_host_is_400_except_for_the_load_balancers_check(api: Any) -> None:
    assert api.client.get("/health", headers={"Host": "10.0.0.9"}).status_code == 400
    assert api.client.get("/healthz", headers={"Host": "10.0.0.9"}).status_code == 200


def test_tls_at_the_load_balancer_counts_as_https(api: Any) -> None:
    secure = api.get("/nothing", X_Forwarded_Proto="https")
    assert "Strict-Transport-Security" in secure
    assert "Strict-Transport-Security" not in api.get("/nothing")
