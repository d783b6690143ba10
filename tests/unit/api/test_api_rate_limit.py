"""A hundred requests a minute of an address: whose they are, how they are counted, what is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.test import RequestFactory

from worker_images.api import rate_limit
from worker_images.api.rate_limit import Windows, client_address, is_limited, seconds_over, wait_s

PROGRESS = "/api/v1/media/videos/1/progress/"
#: 30 s into a minute.
NOON = 1_800_000_030.0


@pytest.fixture(autouse=True)
def limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five requests a minute, and no count from before."""
    monkeypatch.setattr(settings, "API", replace(settings.API, rate_limit_per_minute=5))
    monkeypatch.setattr(rate_limit, "_windows", Windows())


@pytest.mark.parametrize("state", ["up", "down", "stopped midway"])
def test_requests_above_the_limit_are_429_and_say_when(api: Any, redis: Any, state: str) -> None:
    if state == "down":
        redis.stop()
    codes = []
    for number in range(9):
        if state == "stopped midway" and number == 3:
            redis.stop()
        answer = api.get(PROGRESS, X_Forwarded_For="203.0.113.9")
        codes.append(answer.status_code)
    allowed = 8 if state == "stopped midway" else 5
    assert codes == [404] * allowed + [429] * (9 - allowed)
    assert answer.json()["code"] == "RATE_LIMITED"
    seconds = answer.headers["Retry-After"]
    assert f"요청이 너무 많습니다. {seconds}초 뒤에" in answer.json()["detail"]
    assert 1 <= int(seconds) <= 120
    assert api.get(PROGRESS, X_Forwarded_For="203.0.113.10").status_code == 404


def test_two_processes_count_together_in_redis(redis: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [seconds_over("203.0.113.9", NOON) for _ in range(5)] == [0] * 5
    monkeypatch.setattr(rate_limit, "_windows", Windows())
    assert seconds_over("203.0.113.9", NOON) > 0


def test_the_minute_slides(redis: Any) -> None:
    for _ in range(5):
        assert seconds_over("203.0.113.9", NOON + 29) == 0
    assert seconds_over("203.0.113.9", NOON + 31) > 0
    assert seconds_over("203.0.113.9", NOON + 80) == 0


@pytest.mark.parametrize(
    ("counted", "before", "passed_s", "limit", "wait"),
    [
        (1, 0, 0.0, 1, 0),
        (1, 0, 59.9, 1, 0),
        (2, 0, 0.0, 1, 120),
        (100, 0, 30.0, 100, 0),
        (101, 0, 30.0, 100, 32),
        (50, 100, 30.0, 100, 0),
        (51, 100, 30.0, 100, 2),
        (100, 100, 59.0, 100, 2),
    ],
)
def test_the_wait_is_until_there_is_room(
    counted: int, before: int, passed_s: float, limit: int, wait: int
) -> None:
    assert wait_s(counted, before, passed_s, limit) == wait


@pytest.mark.parametrize("counted", range(1, 9))
@pytest.mark.parametrize("before", [0, 1, 5, 40])
@pytest.mark.parametrize("passed_s", [0.0, 17.5, 59.9])
def test_who_waits_as_told_is_let_in(counted: int, before: int, passed_s: float) -> None:
    wait = wait_s(counted, before, passed_s, limit=5)
    if wait == 0:
        return
    later_s = passed_s + wait
    if later_s < 60:
        assert wait_s(counted + 1, before, later_s, limit=5) == 0
    else:
        since = counted if later_s < 120 else 0
        assert wait_s(1, since, later_s % 60, limit=5) == 0


@pytest.mark.parametrize(
    ("hops", "forwarded", "address"),
    [
        (0, "198.51.100.1", "127.0.0.1"),
        (1, "", "127.0.0.1"),
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "10.0.0.1, 198.51.100.1", "198.51.100.1"),
        (2, "10.0.0.1, 198.51.100.1, 192.0.2.7", "198.51.100.1"),
        (2, "198.51.100.1", "198.51.100.1"),
        (1, "10.0.0.1,,  198.51.100.1 ,", "198.51.100.1"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (1, "2001:db8:1:2::9", "2001:db8:1:2::/64"),
        (1, "nonsense", "nonsense"),
    ],
)
def test_the_address_is_what_our_own_proxies_wrote(
    monkeypatch: pytest.MonkeyPatch, hops: int, forwarded: str, address: str
) -> None:
    monkeypatch.setattr(settings, "API", replace(settings.API, proxy_hops=hops))
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert client_address(RequestFactory().get("/", headers=headers)) == address


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        (PROGRESS, True),
        ("/api/v1/schema/", True),
        ("/api/v1/internal/video/backlog-count/", False),
        ("/health", False),
        ("/healthz", False),
        ("/metrics", False),
        ("/watch/1:a:b/", False),
        ("/watch/1:a:b/hls/v1/index0.m4s", False),
    ],
)
def test_only_what_staff_call_counts(path: str, counts: bool) -> None:
    assert is_limited(path) is counts


def test_counts_of_this_process_are_forgotten_with_their_minute() -> None:
    windows = Windows()
    assert windows.count("a", 1) == (1, 0)
    assert windows.count("a", 1) == (2, 0)
    assert windows.count("a", 2) == (1, 2)
    assert windows.count("a", 4) == (1, 0)
    assert set(windows._counts) == {4}
