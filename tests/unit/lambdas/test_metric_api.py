"""Asking the API over real sockets: what is answered, and which hop is blamed when it is not."""

from __future__ import annotations

import socket
from contextlib import closing
from http.server import BaseHTTPRequestHandler

import pytest
from botocore.exceptions import ClientError

from config.contracts.api_paths import BACKLOG_COUNT
from config.contracts.environment import INTERNAL_KEY_HEADER
from lambdas.queue_depth_metric.api import BacklogApi, FetchFailed, SecretKey
from tests.unit.lambdas.serving import serving


def api(url: str, *, key: SecretKey | None = None) -> BacklogApi:
    return BacklogApi(url, key or SecretKey(lambda: "key"), timeout_s=0.3)


def failed_hop(url: str) -> str:
    with pytest.raises(FetchFailed) as caught:
        api(url).backlog()
    return caught.value.hop


def test_backlog_is_read_with_the_internal_key() -> None:
    seen: list[tuple[str, str | None]] = []
    names: list[str | None] = []

    def answer(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        seen.append((request.path, request.headers.get(INTERNAL_KEY_HEADER)))
        names.append(request.headers.get("User-Agent"))
        return 200, b'{"backlog": 7}'

    with serving(answer) as url:
        assert api(url).backlog() == 7
    assert seen == [(BACKLOG_COUNT, "key")]
    # Cloudflare refuses the name that urllib gives itself.
    assert names == ["academy-platform"]


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"backlog": null}', b'{"backlog": -1}', b'{"backlog": true}'],
)
def test_an_answer_without_a_count_fails_as_answer(body: bytes) -> None:
    with serving(lambda _: (200, body)) as url:
        assert failed_hop(url) == "answer"


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
def test_an_error_status_fails_as_http_and_is_named(status: int) -> None:
    with serving(lambda _: (status, b"")) as url, pytest.raises(FetchFailed, match=str(status)):
        api(url).backlog()


def test_a_redirect_is_not_followed() -> None:
    elsewhere: list[str] = []

    def other(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        elsewhere.append(request.path)
        return 200, b'{"backlog": 1}'

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
        return (200, b'{"backlog": 2}') if good else (status, b"")

    with serving(answer) as url:
        asked = api(url, key=SecretKey(lambda: next(keys)))
        assert asked.backlog() == 2
        assert asked.backlog() == 2, "the new key is kept: a third fetch would stop the iterator"


def test_a_secret_that_cannot_be_read_fails_as_secret() -> None:
    def refuse() -> str:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "GetSecretValue")

    with pytest.raises(FetchFailed, match="AccessDenied") as caught:
        api("http://127.0.0.1:9", key=SecretKey(refuse)).backlog()
    assert caught.value.hop == "secret"
