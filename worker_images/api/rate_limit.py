"""So many requests a minute of one client address, counted in Redis over all processes.

Two windows of a minute make a sliding one: the last minute's count weighs as much as it still
overlaps the past 60 s. https://blog.cloudflare.com/counting-things-a-lot-of-different-things/
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network
from threading import Lock

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponseBase

from config.contracts.api_paths import INTERNAL
from worker_images.api import errors
from worker_images.api.cache import guarded

WINDOW_S = 60
#: A home's network has this many bits of an IPv6 address, and any of the addresses below them.
_IPV6_NETWORK_BITS = 64
_NO_ADDRESS_CHARACTERS = 64
_STAFF = "/api/"
_TOO_MANY = "요청이 너무 많습니다. {seconds}초 뒤에 다시 시도해 주세요."

Answer = Callable[[HttpRequest], HttpResponseBase]


@dataclass
class Windows:
    """Counts of this process alone, for as long as Redis is down."""

    _lock: Lock = field(default_factory=Lock)
    _minute: int = 0
    _counts: dict[int, defaultdict[str, int]] = field(default_factory=dict)

    def count(self, client: str, minute: int) -> tuple[int, int]:
        """Add one to a client's count of a minute; return it and that of the minute before."""
        with self._lock:
            for old in [known for known in self._counts if known < minute - 1]:
                del self._counts[old]
            now = self._counts.setdefault(minute, defaultdict(int))
            now[client] += 1
            return now[client], self._counts.get(minute - 1, {}).get(client, 0)


_windows = Windows()


def limit_rate(get_response: Answer) -> Answer:
    """429 for a client address with more than RATE_LIMIT_PER_MINUTE requests in the past minute.

    Counted are staff calls. Not those with the internal key, nor pages and segments, of which a
    class behind one address asks for hundreds at once. A refused request counts as well.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not is_limited(request.path):
            return get_response(request)
        wait_s = seconds_over(client_address(request), time.time())
        if wait_s == 0:
            return get_response(request)
        response = errors.in_json("RATE_LIMITED", _TOO_MANY.format(seconds=wait_s), 429)
        response["Retry-After"] = str(wait_s)
        return response

    return middleware


def is_limited(path: str) -> bool:
    """Whether requests of this path count."""
    return path.startswith(_STAFF) and not path.startswith(INTERNAL)


def seconds_over(client: str, now_s: float) -> int:
    """Count a request of `client`; return 0, or after how many seconds it may ask again."""
    minute, passed_s = divmod(now_s, WINDOW_S)
    counted, before = guarded(
        lambda: _count_in_redis(client, int(minute)),
        lambda: _windows.count(client, int(minute)),
    )
    limit = settings.API.rate_limit_per_minute
    return wait_s(counted, before, passed_s, limit)


def wait_s(counted: int, before: int, passed_s: float, limit: int) -> int:
    """Return the whole seconds until a sliding minute has room again, 0 when it has room now.

    `counted` are the requests of this minute, this one among them, of which `passed_s` are over;
    `before` those of the minute before.
    """
    left_s = WINDOW_S - passed_s
    if counted + before * left_s / WINDOW_S <= limit:
        return 0
    if counted < limit:
        overlap_s = (limit - counted - 1) * WINDOW_S / before
        return math.ceil(left_s - overlap_s)
    return math.ceil(left_s + WINDOW_S - (limit - 1) * WINDOW_S / counted)


def client_address(request: HttpRequest) -> str:
    """Return who asks: what the outermost of our own proxies wrote, never what the client claims.

    Each proxy adds the address that it was asked from at the end of X-Forwarded-For. A request
    that came past fewer proxies has fewer addresses, all of them written by ours.
    """
    claimed = request.headers.get("X-Forwarded-For", "")
    addresses = [address.strip() for address in claimed.split(",") if address.strip()]
    hops = settings.API.proxy_hops
    direct = request.META.get("REMOTE_ADDR", "")
    written = addresses[-hops:] if hops else []
    return _network(written[0] if written else direct)


def _network(address: str) -> str:
    try:
        found = ip_address(address)
    except ValueError:
        return address[:_NO_ADDRESS_CHARACTERS]
    if isinstance(found, IPv6Address):
        return str(ip_network((int(found), _IPV6_NETWORK_BITS), strict=False))
    return str(found)


def _count_in_redis(client: str, minute: int) -> tuple[int, int]:
    names = (f"rate:{{{client}}}:{number}" for number in (minute, minute - 1))
    found: tuple[int, int] = cache.count(*names, kept_s=2 * WINDOW_S)
    return found
