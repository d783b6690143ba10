"""What the API knows of the fleets: the answer of `GET /api/v1/internal/fleets/`.

{"fleets": {"video": {"waiting": 1, "running": 2, "oldest_s": 12.5, "mean_job_s": 857.0,
"spot_losses": 0, "unnamed": 1, "workers": [{"instance_id": "i-...", "state": "busy", "jobs": 1,
"leases": 1, "silent_s": 3.2}]}}}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from config.contracts.fields import Undecodable, body_fields, integer, mapping, text


class WorkerState(StrEnum):
    """What a worker says of itself. LEAVING: it polls no more and gives its instance up."""

    IDLE = "idle"
    BUSY = "busy"
    DRAINING = "draining"
    LEAVING = "leaving"


#: Seconds between two signs of life of a worker.
SIGN_EVERY_S = 10


@dataclass(frozen=True)
class WorkerFact:
    """A worker that wrote into the database, by its instance.

    `jobs` run in it by its own word; `leases` are the jobs whose rows name it as their holder, over
    or not. `silent_s` seconds ago it gave its last sign of life.
    """

    instance_id: str
    state: WorkerState
    jobs: int
    leases: int
    silent_s: float


@dataclass(frozen=True)
class FleetFact:
    """The jobs of a fleet, and its workers.

    `waiting` jobs could start now, `running` ones are held by a worker. `oldest_s` is the age of
    the longest waiting one, `mean_job_s` how long the latest jobs took; None where there is none.
    `spot_losses` instances were announced as taken back within the time that is looked at.
    `unnamed` jobs' rows name a holder that is none of `workers`, as those of the release before the
    table of workers do: one of them may be any instance.
    """

    waiting: int
    running: int
    oldest_s: float | None
    mean_job_s: float | None
    spot_losses: int
    workers: tuple[WorkerFact, ...] = ()
    unnamed: int = 0


def encode_fleets(fleets: Mapping[str, FleetFact]) -> dict[str, Any]:
    """Return the answer's JSON object."""
    return {"fleets": {kind: asdict(fact) for kind, fact in fleets.items()}}


def decode_fleets(body: str) -> dict[str, FleetFact]:
    """Return the fleets of an answer, by kind; unknown fields are ignored. Raises: Undecodable."""
    fleets = mapping(body_fields(body), "fleets")
    return {kind: _fleet(mapping(fleets, kind)) for kind in fleets}


def _fleet(fields: Mapping[str, Any]) -> FleetFact:
    workers = fields.get("workers", [])
    if not isinstance(workers, list):
        raise Undecodable(f"workers must be a list, got {workers!r}")
    return FleetFact(
        waiting=_count(fields, "waiting"),
        running=_count(fields, "running"),
        oldest_s=_seconds(fields, "oldest_s"),
        mean_job_s=_seconds(fields, "mean_job_s"),
        spot_losses=_count(fields, "spot_losses"),
        workers=tuple(_worker(each) for each in workers),
        unnamed=_count(fields, "unnamed"),
    )


def _worker(fields: Mapping[str, Any]) -> WorkerFact:
    if not isinstance(fields, dict):
        raise Undecodable(f"a worker must be an object, got {fields!r}")
    state, silent_s = text(fields, "state"), _seconds(fields, "silent_s")
    if state not in set(WorkerState) or silent_s is None:
        raise Undecodable(f"a worker has state and silent_s, got {fields!r}")
    return WorkerFact(
        instance_id=text(fields, "instance_id"),
        state=WorkerState(state),
        jobs=_count(fields, "jobs"),
        leases=_count(fields, "leases"),
        silent_s=silent_s,
    )


def _count(fields: Mapping[str, Any], name: str) -> int:
    value = integer(fields, name)
    if value < 0:
        raise Undecodable(f"{name} must be at least 0, got {value}")
    return value


def _seconds(fields: Mapping[str, Any], name: str) -> float | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e12:
        raise Undecodable(f"{name} must be seconds or null, got {value!r}")
    return float(value)
