"""Which hop a failed HTTP request failed at: one naming for every function that asks."""

from __future__ import annotations

import socket
import ssl
import urllib.error
from dataclasses import dataclass


@dataclass(frozen=True)
class FailedHop:
    """`hop` is dns, connect, tls, time-out or http; `status` is that of an HTTP answer."""

    hop: str
    reason: str
    status: int | None = None


def failed_hop(error: Exception) -> FailedHop:
    """Return where a request of urllib failed, and why; no header is ever part of it."""
    if isinstance(error, urllib.error.HTTPError):
        return FailedHop("http", f"status {error.code}", error.code)
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    reason = f"{type(cause).__name__}: {cause}"
    kinds = ((socket.gaierror, "dns"), (ssl.SSLError, "tls"), (TimeoutError, "time-out"))
    hop = next((name for kind, name in kinds if isinstance(cause, kind)), "connect")
    return FailedHop(hop, reason)
