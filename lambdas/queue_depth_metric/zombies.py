"""Which instances are in service and do nothing. Pure.

An instance that gives no sign of life and holds no job is marked, looked at again, and then ended,
one at a time: a database that was away makes every worker look dead once.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from config.contracts.fleet_facts import SIGN_EVERY_S, WorkerFact
from config.contracts.fleet_rules import FleetRules

#: A worker that has not been heard of for longer is silent.
SILENT_S = 6.0 * SIGN_EVERY_S
#: Between the mark and the look that confirms it.
LOOK_AGAIN_S = 60.0
#: Between two ends in one fleet.
END_EVERY_S = 300.0


@dataclass(frozen=True)
class Marks:
    """When each silent instance was first seen so, and when the fleet's last zombie was ended."""

    since: Mapping[str, float] = field(default_factory=dict)
    ended_at: float = -math.inf


def is_silent(
    served_s: float, worker: WorkerFact | None, rules: FleetRules, *, unnamed: int
) -> bool:
    """Say whether an instance, `served_s` seconds in service, gives no sign and holds no job.

    Of `unnamed` jobs nobody knows the holder: it may be any instance that never gave a sign.
    """
    if served_s <= rules.boot_limit_s:
        return False
    if worker is None:
        return unnamed == 0
    return worker.silent_s > SILENT_S and worker.leases == 0


def marked(marks: Marks, silent: Collection[str], now: float) -> Marks:
    """Return the marks after a look: new ones for the newly silent, none for those heard again."""
    return Marks({each: marks.since.get(each, now) for each in silent}, marks.ended_at)


def confirmed(marks: Marks, now: float) -> list[str]:
    """Return the instances that were silent at a look long enough ago and are still, oldest first.

    They take no job, whether they are ended now or later.
    """
    old = [(since, each) for each, since in marks.since.items() if now - since >= LOOK_AGAIN_S]
    return [each for _, each in sorted(old)]


def to_end(marks: Marks, now: float, *, every_s: float = END_EVERY_S) -> str | None:
    """Return the instance to end now, None while the fleet's last end is younger than `every_s`."""
    found = confirmed(marks, now)
    return found[0] if found and now - marks.ended_at >= every_s else None


def ended(marks: Marks, instance_id: str, now: float) -> Marks:
    """Return the marks after an instance was ended."""
    kept = {each: since for each, since in marks.since.items() if each != instance_id}
    return Marks(kept, now)
