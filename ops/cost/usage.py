"""How much an environment is used in a month: assumptions, written down in `config/usage`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field

from ops import places
from ops.cost.prices import Model

USAGE = places.ROOT / "config" / "usage"
#: Boot 150 s (design/performance.md) and 60 s idle before a worker ends itself (workers.*.idle_s).
START_S = 210
KBITS_PER_GB = 8e6
SECONDS_PER_HOUR = 3600

Amount = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]


class Lectures(Model):
    """Uploads: minutes and Mbit/s of each, and what is watched of them."""

    a_day: Amount
    minutes: Positive
    encode_speed: Positive
    source_mbps: Positive
    stored_mbps: Positive
    stored_mbps_at_bitrates: Positive
    objects_a_minute: Positive
    watched_minutes: Amount
    watched_mbps: Positive


class WorkerUse(Model):
    """Jobs of one fleet, and in how many hours of a day it has any: it publishes in those alone."""

    jobs_a_day: Amount
    job_s: Positive
    jobs_a_start: Positive
    hours_with_jobs: Annotated[float, Field(ge=0, le=24)]

    @property
    def hours_a_day(self) -> float:
        """Instance hours a day: jobs, and a boot and an idle end for each start."""
        seconds = self.jobs_a_day * (self.job_s + START_S / self.jobs_a_start)
        return seconds / SECONDS_PER_HOUR


class ApiUse(Model):
    """Calls of one user a day, kB an answer."""

    requests_a_user: Amount
    answer_kb: Amount


class FrontEndUse(Model):
    """Files of the front end that one user loads a day."""

    requests_a_user: Amount
    kb_a_user: Amount


class LogUse(Model):
    """GB of log lines a month."""

    api: Amount
    functions: Amount
    workers: Amount
    network: Amount

    @property
    def total(self) -> float:
        """GB of all."""
        return self.api + self.functions + self.workers + self.network


class Usage(Model):
    """A month of an environment, at the size that its users make it."""

    users_a_day: Annotated[int, Field(gt=0)]
    target_usd: Positive | None
    lectures: Lectures
    workers: dict[str, WorkerUse]
    api: ApiUse
    front_end: FrontEndUse
    functions_s: dict[str, Positive]
    logs_gb: LogUse
    custom_metrics: Amount
    fleet_metrics: Amount
    metric_requests_million: Amount
    database_gb: Amount
    database_change_percent: Amount
    between_zones_gb: Amount
    sqs_requests_million: Amount
    emails: Amount
    image_gb: Amount

    def lecture_gb(self, days: float, mbps: float) -> float:
        """GB of the lectures uploaded in `days`, at a rate of `mbps`."""
        seconds = self.lectures.a_day * self.lectures.minutes * 60 * days
        return seconds * mbps * 1000 / KBITS_PER_GB

    def watched_gb(self, days: float) -> float:
        """GB that users watch in `days`."""
        seconds = self.users_a_day * self.lectures.watched_minutes * 60 * days
        return seconds * self.lectures.watched_mbps * 1000 / KBITS_PER_GB

    def requests_million(self, days: float) -> float:
        """Calls of the API in `days`, in millions."""
        return self.users_a_day * self.api.requests_a_user * days / 1e6

    def api_gb(self, days: float) -> float:
        """GB that the API answers in `days`."""
        return self.requests_million(days) * self.api.answer_kb


def load_usage(environment: str, users_per_day: int) -> Usage:
    """Return the assumptions for an environment: prod's by its size, anybody else's are quiet.

    Raises: pydantic.ValidationError naming the key that is wrong.
    """
    name = str(users_per_day) if environment == "prod" else "quiet"
    return read_usage(USAGE / f"{name}.yaml")


def read_usage(path: Path) -> Usage:
    """Return the assumptions of a file. Raises: as `load_usage`."""
    return Usage.model_validate(yaml.safe_load(path.read_text("utf-8")))
