"""Asks the API for jobs and workers of all fleets, and says which hop failed when it is silent."""

from __future__ import annotations

import http.client
import urllib.request
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from config.contracts.api_paths import FLEETS
from config.contracts.edges import USER_AGENT
from config.contracts.environment import INTERNAL_KEY_HEADER
from config.contracts.fields import Undecodable
from config.contracts.fleet_facts import FleetFact, decode_fleets
from config.contracts.http_hops import failed_hop

#: For each step of connecting and answering; a look waits API_WAIT_S for all of them.
TIMEOUT_S = 2.0
_REFUSED = (401, 403)
#: 1000 workers take about 120 KiB. A longer answer is cut off, and then it is no JSON.
_MAX_ANSWER_BYTES = 1024 * 1024


class FetchFailed(Exception):  # noqa: N818 - named as the runbook's log line
    """The API gave no facts. `hop`: secret, dns, connect, tls, time-out, http or answer."""

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


class FleetsApi:
    """`GET fleets/` with the internal key; Spot instances lost within `within_s` count."""

    def __init__(
        self, base_url: str, key: SecretKey, *, within_s: int, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._url = f"{base_url}{FLEETS}?within_s={within_s}"
        self._key = key
        self._timeout_s = timeout_s
        # The address is internal: a proxy of the environment has no part in it.
        self._opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))

    def fleets(self) -> dict[str, FleetFact]:
        """Return what the API knows. A refused key is fetched anew and tried once more.

        Raises: FetchFailed naming the hop.
        """
        try:
            return self._ask()
        except FetchFailed as error:
            if error.status not in _REFUSED:
                raise
            self._key.forget()
            return self._ask()

    def _ask(self) -> dict[str, FleetFact]:
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


def _parse(body: bytes) -> dict[str, FleetFact]:
    """Return the fleets of an answer. Raises: FetchFailed when it tells of none."""
    try:
        return decode_fleets(body.decode())
    except (Undecodable, UnicodeDecodeError) as error:
        raise FetchFailed("answer", f"no facts in it: {error}") from error
