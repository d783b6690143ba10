"""While the database is down its replica answers what only reads, and nobody waits to write."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from worker_images.api import errors
from worker_images.api.database import patience
from worker_images.api.database.base import primary
from worker_images.api.database.router import replica_reads

_SAFE_METHODS = ("GET", "HEAD")

Answer = Callable[[HttpRequest], HttpResponseBase]


def limit_waits(get_response: Answer) -> Answer:
    """Give up on a database that hangs, see database/patience.py."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        with patience.limited(patience.LIMIT_S):
            return get_response(request)

    return middleware


def answer_from_replica(get_response: Answer) -> Answer:
    """Answer reads from the replica when the database is gone; other calls are a 503 at once.

    A read that met the outage itself is answered once more, from the replica. Without one it is
    the 503 that it is.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        has_replica = settings.API.replica_host is not None
        if request.method not in _SAFE_METHODS:
            if primary.is_open:
                return errors.unavailable(errors.READ_ONLY if has_replica else errors.DATABASE)
            return get_response(request)
        if not has_replica:
            return get_response(request)
        if not primary.is_open:
            response = get_response(request)
            if not getattr(request, "database_lost", False):
                return response
        with replica_reads():
            return get_response(request)

    return middleware
