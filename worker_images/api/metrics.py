"""What Prometheus scrapes: the requests counted here, and the facts of the database."""

from __future__ import annotations

import os
from collections.abc import Iterable

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from config.contracts.states import OPEN_JOB_STATES
from worker_images.api.environment import MULTIPROCESS_DIRECTORY
from worker_images.api.facts import database_facts
from worker_images.api.models import VideoJob

_KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_requests = Counter("academy_api_requests", "Requests answered", ["method", "route", "status"])
_seconds = Histogram("academy_api_request_seconds", "Time to the answer", ["method", "route"])


def observe_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request under its route pattern."""
    method = method if method in _KNOWN_METHODS else "OTHER"
    _requests.labels(method, route, str(status)).inc()
    _seconds.labels(method, route).observe(seconds)


def open_jobs() -> int:
    """Return the backlog: jobs that wait or run."""
    return VideoJob.objects.filter(state__in=OPEN_JOB_STATES).count()


def exposition() -> bytes:
    """Return the Prometheus text of all processes of this API, and of the database's facts."""
    registry = CollectorRegistry()
    registry.register(_DatabaseFacts())
    requests = REGISTRY
    if MULTIPROCESS_DIRECTORY in os.environ:
        requests = CollectorRegistry()
        MultiProcessCollector(requests)
    return generate_latest(requests) + generate_latest(registry)


class _DatabaseFacts(Collector):
    """See facts.py."""

    def collect(self) -> Iterable[Metric]:
        return database_facts()
