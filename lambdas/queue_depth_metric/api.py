"""Asks the API for the backlog, and says which hop failed when it does not answer."""

from __future__ import annotations

import http.client
import json
import urllib.request
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from config.contracts.api_paths import BACKLOG_COUNT
from config.contracts.edges import USER_AGENT
from config.contracts.environment import INTERNAL_KEY_HEADER
from config.contracts.http_hops import failed_hop

#: For each of connecting and answering. Two of them must fit into the room of a tick.
TIMEOUT_S = 2.0
_REFUSED = (401, 403)
_MAX_ANSWER_BYTES = 64 * 1024


class FetchFailed(Exception):  # noqa: N818 - named as the runbook's log line
    """The API gave no backlog. `hop`: secret, dns, connect, tls, time-out, http or answer."""

    def __init__(self, hop: str, reason: str, *, status: int | None = None) -> None:
        super().__init__(f"hop={hop} | {reason}")
        self.hop = hop
        self.status = status


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to whomever it names."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class SecretKey:
    """The internal key, fetched once a container; `forget` makes the next use fetch it again."""

    def __init__(self, fetch: Callable[[], str]) -> None:
        self._fetch = fetch
        self._value: str | None = None

    def value(self) -> str:
        if self._value is None:
            self._value = self._fetch()
        return self._value

    def forget(self) -> None:
        self._value = None


class BacklogApi:
    """`GET backlog-count/` with the internal key."""

    def __init__(self, base_url: str, key: SecretKey, *, timeout_s: float = TIMEOUT_S) -> None:
        self._url = base_url + BACKLOG_COUNT
        self._key = key
        self._timeout_s = timeout_s
        # The address is internal: a proxy of the environment has no part in it.
        self._opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))

    def backlog(self) -> int:
        """Return jobs that wait or run. A refused key is fetched anew and tried once more.

        Raises: FetchFailed naming the hop.
        """
        try:
            return self._ask()
        except FetchFailed as error:
            if error.status not in _REFUSED:
                raise
            self._key.forget()
            return self._ask()

    def _ask(self) -> int:
        try:
            key = self._key.value()
        except (BotoCoreError, ClientError) as error:
            raise FetchFailed("secret", str(error)) from error
        request = urllib.request.Request(  # noqa: S310 - the scheme is checked with the settings
            self._url,
            headers={
                INTERNAL_KEY_HEADER: key,
                "Accept": "application/json",
                "User-Agent": USER_AGENT,
            },
        )
        try:
            with self._opener.open(request, timeout=self._timeout_s) as response:
                return _parse(response.read(_MAX_ANSWER_BYTES))
        except (OSError, http.client.HTTPException) as error:
            raise failure(error) from error


def failure(error: Exception) -> FetchFailed:
    """Return what a failed request means: which hop, and why, without any header."""
    failed = failed_hop(error)
    return FetchFailed(failed.hop, failed.reason, status=failed.status)


def _parse(body: bytes) -> int:
    """Return the count in an answer. Raises: FetchFailed when it is none."""
    try:
        backlog = json.loads(body)["backlog"]
    except (ValueError, KeyError, TypeError) as error:
        raise FetchFailed("answer", f"no backlog in it ({type(error).__name__})") from error
    if not isinstance(backlog, int) or isinstance(backlog, bool) or backlog < 0:
        raise FetchFailed("answer", f"backlog must be a whole number from 0, got {backlog!r}")
    return backlog
