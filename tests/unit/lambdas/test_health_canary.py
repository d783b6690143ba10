"""The canary over real sockets: what it answers and publishes, and which hop it blames."""

from __future__ import annotations

import json
import socket
from contextlib import closing
from itertools import count
from typing import Any

import pytest

from config.contracts import health
from lambdas.health_canary import handler as module
from lambdas.health_canary.environment import EnvironmentInvalid, load_settings
from lambdas.health_canary.probe import look
from lambdas.health_canary.publish import data
from tests.unit.lambdas.serving import serving

WELL = {name: health.OK for name in health.DEPENDENCIES}
GOOD = {"HEALTH_URL": "https://api.example.com/health", "ENVIRONMENT": "prod"}


def asked(url: str) -> health.Answer:
    """Return a look at an address by a clock that moves a second each time it is read."""
    seconds = count()
    return look(url, lambda: float(next(seconds)), timeout_s=0.3)


def answered(status: int, fields: object) -> health.Answer:
    body = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
    with serving(lambda _: (status, body)) as url:
        return asked(url)


def test_a_service_whose_parts_answer_is_up() -> None:
    answer = answered(200, WELL)
    assert (answer["up"], answer["status"], answer["hop"]) == (True, 200, None)
    assert answer["failed"] == []
    assert answer["latency_ms"] == 1000


def test_the_dependency_that_failed_is_named() -> None:
    answer = answered(503, {**WELL, "redis": health.FAILED})
    assert (answer["up"], answer["status"], answer["hop"]) == (False, 503, "http")
    assert answer["failed"] == ["redis"]


@pytest.mark.parametrize("status", [302, 404, 502])
def test_another_status_is_down_and_is_named(status: int) -> None:
    answer = answered(status, b"http://127.0.0.1:9/")
    assert (answer["up"], answer["hop"], answer["reason"]) == (False, "http", f"status {status}")


@pytest.mark.parametrize("body", [b"", b"<html>", [], {"database": "ok"}])
def test_something_else_than_the_api_is_not_taken_for_it(body: object) -> None:
    answer = answered(200, body)
    assert (answer["up"], answer["status"], answer["hop"]) == (False, 200, "answer")


def test_the_hops_before_an_answer_are_told_apart() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        closed = taken.getsockname()[1]
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as silent,
        serving(lambda _: (200, b"")) as url,
    ):
        found = {
            asked("http://no-such-host.invalid")["hop"]: "dns",
            asked(f"http://127.0.0.1:{closed}")["hop"]: "connect",
            asked(f"http://127.0.0.1:{silent.getsockname()[1]}")["hop"]: "time-out",
            asked(url.replace("http:", "https:"))["hop"]: "tls",
        }
    assert all(hop == expected for hop, expected in found.items()), found
    assert set(found) <= set(health.HOPS)


def test_no_answer_has_neither_a_latency_nor_dependencies() -> None:
    answer = asked("http://no-such-host.invalid")
    assert [datum["MetricName"] for datum in data("prod", answer)] == [health.UP]
    assert data("prod", answer)[0]["Value"] == 0


def test_each_dependency_has_a_metric_of_its_own_once_one_fails() -> None:
    answer = answered(503, {**WELL, "queue": health.FAILED})
    values = {
        datum["Dimensions"][-1]["Value"]: datum["Value"]
        for datum in data("dev", answer)
        if datum["MetricName"] == health.DEPENDENCY_UP
    }
    assert values == {"database": 1, "redis": 1, "storage": 1, "queue": 0}
    well = {datum["MetricName"] for datum in data("dev", answered(200, WELL))}
    assert well == {health.UP, health.LATENCY}


def test_an_answer_that_names_no_dependency_says_nothing_of_them() -> None:
    names = {datum["MetricName"] for datum in data("dev", answered(502, b"bad gateway"))}
    assert names == {health.UP, health.LATENCY}


class CloudWatch:
    """Remembers what is put."""

    def __init__(self) -> None:
        self.put: list[dict[str, Any]] = []

    def put_metric_data(self, **arguments: Any) -> None:
        self.put.append(arguments)


def test_the_function_publishes_and_returns_the_same_look(monkeypatch: pytest.MonkeyPatch) -> None:
    cloudwatch = CloudWatch()
    monkeypatch.setattr(module, "_cloudwatch", lambda: cloudwatch)
    with serving(lambda _: (200, json.dumps(WELL).encode())) as url:
        monkeypatch.setenv("HEALTH_URL", url)
        monkeypatch.setenv("ENVIRONMENT", "prod")
        answer = module.handler({}, None)
    assert set(answer) == set(health.Answer.__annotations__)
    assert json.loads(json.dumps(answer))["up"] is True
    [put] = cloudwatch.put
    assert put["Namespace"] == health.NAMESPACE
    assert put["MetricData"][0]["Value"] == 1


@pytest.mark.parametrize(
    ("given", "named"),
    [({"HEALTH_URL": ""}, "HEALTH_URL"), ({"ENVIRONMENT": " "}, "ENVIRONMENT"),
     ({"HEALTH_URL": "ftp://host/health"}, "http://host or https://host")],
)  # fmt: skip
def test_a_wrong_variable_is_named(given: dict[str, str], named: str) -> None:
    with pytest.raises(EnvironmentInvalid, match=named):
        load_settings({**GOOD, **given})
