"""Asking the API over real sockets: what is answered, and which hop is blamed when it is not."""

from __future__ import annotations

import json
import socket
from contextlib import closing
from http.server import BaseHTTPRequestHandler

import pytest
from botocore.exceptions import ClientError

from config.contracts.api_paths import FLEETS
from config.contracts.environment import INTERNAL_KEY_HEADER
from config.contracts.fleet_facts import FleetFact, encode_fleets
from lambdas.queue_depth_metric.api import FetchFailed, FleetsApi, SecretKey
from tests.unit.lambdas.metric_rules import fact, worker
from tests.unit.lambdas.serving import serving


def body(**fleets: FleetFact) -> bytes:
    return json.dumps(encode_fleets(fleets)).encode()


def api(url: str, *, key: SecretKey | None = None) -> FleetsApi:
    return FleetsApi(url, key or SecretKey(lambda: "key"), within_s=1800, timeout_s=0.3)


def failed_hop(url: str) -> str:
    with pytest.raises(FetchFailed) as caught:
        api(url).fleets()
    return caught.value.hop


def test_the_fleets_are_read_with_the_internal_key() -> None:
    known = fact(3, 2, oldest_s=1.5, mean_job_s=857.0, workers=(worker("i-1", "busy", leases=2),))
    seen: list[tuple[str, str | None]] = []
    names: list[str | None] = []

    def answer(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        seen.append((request.path, request.headers.get(INTERNAL_KEY_HEADER)))
        names.append(request.headers.get("User-Agent"))
        return 200, body(video=known, ai=fact())

    with serving(answer) as url:
        assert api(url).fleets() == {"video": known, "ai": fact()}
    assert seen == [(f"{FLEETS}?within_s=1800", "key")]
    # Cloudflare refuses the name that urllib gives itself.
    assert names == ["academy-platform"]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b"\xff",
        b'{"backlog": 7}',
        b'{"fleets": {"video": {"waiting": -1}}}',
        body(video=fact(1, 2))[:-1],
    ],
)
def test_an_answer_without_facts_fails_as_answer(answer: bytes) -> None:
    with serving(lambda _: (200, answer)) as url:
        assert failed_hop(url) == "answer"


def test_an_answer_of_a_thousand_workers_is_read_whole() -> None:
    crowd = fact(1, workers=tuple(worker(f"i-{each:017x}") for each in range(1000)))
    with serving(lambda _: (200, body(video=crowd, ai=crowd, messaging=crowd))) as url:
        assert len(api(url).fleets()["messaging"].workers) == 1000


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
def test_an_error_status_fails_as_http_and_is_named(status: int) -> None:
    with serving(lambda _: (status, b"")) as url, pytest.raises(FetchFailed, match=str(status)):
        api(url).fleets()


def test_a_redirect_is_not_followed() -> None:
    elsewhere: list[str] = []

    def other(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        elsewhere.append(request.path)
        return 200, body()

    with serving(other) as target, serving(lambda _: (302, target.encode())) as url:
        assert failed_hop(url) == "http"
    assert elsewhere == []


def test_a_name_that_does_not_resolve_fails_as_dns() -> None:
    assert failed_hop("http://no-such-host.invalid") == "dns"


def test_a_closed_port_fails_as_connect() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    assert failed_hop(f"http://127.0.0.1:{port}") == "connect"


def test_a_peer_without_tls_fails_as_tls() -> None:
    with serving(lambda _: (200, b"")) as url:
        assert failed_hop(url.replace("http:", "https:")) == "tls"


def test_a_peer_that_never_answers_fails_as_time_out() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        assert failed_hop(f"http://127.0.0.1:{silent.getsockname()[1]}") == "time-out"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_fetched_again(status: int) -> None:
    keys = iter(["old", "new"])

    def answer(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        good = request.headers.get(INTERNAL_KEY_HEADER) == "new"
        return (200, body(video=fact(2))) if good else (status, b"")

    with serving(answer) as url:
        asked = api(url, key=SecretKey(lambda: next(keys)))
        assert asked.fleets() == {"video": fact(2)}
        assert asked.fleets() == {"video": fact(2)}, "a third key would be missed"


def test_a_secret_that_cannot_be_read_fails_as_secret() -> None:
    def refuse() -> str:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "GetSecretValue")

    with pytest.raises(FetchFailed, match="AccessDenied") as caught:
        api("http://127.0.0.1:9", key=SecretKey(refuse)).fleets()
    assert caught.value.hop == "secret"
