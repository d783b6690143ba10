"""The database's facts for Prometheus: jobs and workers by kind and state, and the outbox.

Every scraper, every process and every dashboard asks; the database is asked every few seconds.
"""

from __future__ import annotations

import time
from datetime import timedelta
from itertools import product
from threading import Lock
from typing import Any

from django.db import DatabaseError
from django.db.models import Count, Min, Model, Q
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from config.contracts.fleet_facts import SIGN_EVERY_S, WorkerState
from config.contracts.states import OPEN_AI_JOB_STATES, OPEN_JOB_STATES, OPEN_TEXT_STATES
from worker_images.api.fleets import FLEETS
from worker_images.api.models import AiJob, OutboxEntry, TextMessage, VideoJob, Worker
from worker_images.base.logging import logger

_log = logger("metrics")
KEPT_S = 5.0
#: By kind its table, and the states that a partial index answers; ended jobs are the workers' to
#: count.
_OPEN: dict[str, tuple[type[Model], tuple[str, ...]]] = {
    "video": (VideoJob, OPEN_JOB_STATES),
    "ai": (AiJob, OPEN_AI_JOB_STATES),
    "text": (TextMessage, OPEN_TEXT_STATES),
}

_lock = Lock()
_kept: tuple[float, list[Metric]] = (float("-inf"), [])


def database_facts() -> list[Metric]:
    """Return the gauges, at most KEPT_S old; of a database that is down, that it is."""
    global _kept  # noqa: PLW0603 - one value a process
    with _lock:
        if time.monotonic() - _kept[0] > KEPT_S:
            _kept = (time.monotonic(), _read())
        return _kept[1]


def forget() -> None:
    """Ask the database the next time."""
    global _kept  # noqa: PLW0603 - one value a process
    _kept = (float("-inf"), [])


def _read() -> list[Metric]:
    try:
        gauges = [*_jobs(), _workers(), *_outbox()]
    except DatabaseError as error:
        _log.error("facts of the database not read", error=str(error))
        return [_gauge("academy_database_up", "Whether the database answered", 0)]
    return [_gauge("academy_database_up", "Whether the database answered", 1), *gauges]


def _jobs() -> list[Metric]:
    count = GaugeMetricFamily("academy_jobs", "Jobs that wait or run", labels=["kind", "state"])
    age = GaugeMetricFamily(
        "academy_jobs_oldest_age_seconds", "Since the oldest was created", labels=["kind", "state"]
    )
    for kind, (model, states) in _OPEN.items():
        found = {row["state"]: row for row in _by_state(model, states)}
        for state in states:
            row = found.get(state, {"count": 0, "oldest": None})
            count.add_metric([kind, state], row["count"])
            age.add_metric([kind, state], _age_s(row["oldest"]))
    backlog = sum(row.value for row in count.samples if row.labels["kind"] == "video")
    return [count, age, _gauge("academy_video_backlog", "Video jobs that wait or run", backlog)]


def _workers() -> Metric:
    gauge = GaugeMetricFamily(
        "academy_workers", "Workers that lately gave a sign of life", labels=["kind", "state"]
    )
    lately = timezone.now() - timedelta(seconds=6 * SIGN_EVERY_S)
    live = Worker.objects.filter(seen_at__gt=lately).values_list("kind", "state")
    found = {(kind, state): count for kind, state, count in live.annotate(Count("pk"))}
    for kind, state in product(FLEETS, WorkerState):
        gauge.add_metric([kind, state], found.get((kind, state), 0))
    return gauge


def _by_state(model: type[Model], states: tuple[str, ...]) -> Any:
    waiting = model._default_manager.filter(state__in=states).values("state")
    return waiting.annotate(count=Count("pk"), oldest=Min("created_at"))


def _outbox() -> list[Metric]:
    pending = OutboxEntry.objects.filter(sent_at=None).aggregate(
        count=Count("id"), failed=Count("id", filter=Q(attempts__gt=0)), oldest=Min("created_at")
    )
    age_s = _age_s(pending["oldest"])
    return [
        _gauge("academy_outbox_pending", "Messages not sent yet", pending["count"]),
        _gauge("academy_outbox_failing", "Of these, refused at least once", pending["failed"]),
        _gauge("academy_outbox_oldest_age_seconds", "Age of the oldest one", age_s),
    ]


def _age_s(moment: Any) -> float:
    return (timezone.now() - moment).total_seconds() if moment else 0.0


def _gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(name, documentation, value=value)
