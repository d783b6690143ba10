"""A lecture's way through the line: which moments were seen, and the seconds between. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ops.facts import BacklogFact, FleetFacts, QueueFacts


@dataclass(frozen=True)
class Snapshot:
    """What one look at the line saw. `progress` is the API's answer; None was not to be had."""

    at_s: float
    progress: Mapping[str, Any] | None
    queue: QueueFacts | None
    backlog: BacklogFact | None
    fleet: FleetFacts | None


@dataclass(frozen=True)
class Moments:
    """Epoch seconds at which each thing happened; None has not happened, or was not needed.

    `desired_before` is the fleet's desired capacity at the start: a fleet that was large enough
    already is neither raised nor started.
    """

    began: float
    desired_before: int
    instances_before: frozenset[str]
    uploaded: float | None = None
    sent: float | None = None
    published: float | None = None
    raised: float | None = None
    started: float | None = None
    claimed: float | None = None
    encoded: float | None = None
    ended: float | None = None
    at_rest: float | None = None


#: The hops in their order: what the reader is told, and the moment at which each ends.
HOPS = (
    ("upload", "uploaded"),
    ("outbox → SQS", "sent"),
    ("backlog seen, metric published", "published"),
    ("desired capacity raised", "raised"),
    ("instance started", "started"),
    ("worker claimed the job", "claimed"),
    ("encode and store", "encoded"),
    ("READY or FAILED", "ended"),
    ("fleet back at its minimum", "at_rest"),
)
ENDED = ("READY", "FAILED")


@dataclass(frozen=True)
class Hop:
    """One hop; `seconds` is None when its end was not seen."""

    name: str
    seconds: float | None


def observe(moments: Moments, seen: Snapshot) -> Moments:
    """Return the moments with what a further look adds. A moment once seen stays."""
    added: dict[str, float] = {}
    progress = seen.progress or {}
    for name, key in (("sent", "sent_at"), ("claimed", "started_at"), ("encoded", "finished_at")):
        if progress.get(key):
            added[name] = _epoch(str(progress[key]))
    sent = moments.sent or added.get("sent")
    if seen.backlog and sent and seen.backlog.value >= 1 and seen.backlog.at_s >= int(sent):
        added["published"] = max(sent, seen.backlog.at_s)
    if seen.fleet:
        if seen.fleet.desired > moments.desired_before:
            added["raised"] = seen.at_s
        if _new_instance(moments, seen.fleet):
            added["started"] = seen.at_s
    if progress.get("status") in ENDED:
        added["ended"] = seen.at_s
    if (moments.ended or "ended" in added) and seen.fleet and seen.fleet.is_at_rest:
        added["at_rest"] = seen.at_s
    fresh = {name: at for name, at in added.items() if getattr(moments, name) is None}
    return replace(moments, **fresh)  # type: ignore[arg-type]


def hops(moments: Moments) -> list[Hop]:
    """Return the seconds of each hop, from the end of the last one seen before it.

    Clocks differ by a little between machines, so no hop is below 0; all add up to the total.
    """
    found = []
    last = moments.began
    for name, key in HOPS:
        at: float | None = getattr(moments, key)
        found.append(Hop(name, None if at is None else max(0.0, at - last)))
        last = max(last, at or last)
    return found


def total_s(moments: Moments) -> float:
    """Return the seconds from the first call to the last moment seen."""
    return sum(hop.seconds or 0.0 for hop in hops(moments))


def _new_instance(moments: Moments, fleet: FleetFacts) -> bool:
    return any(
        state == "InService" and name not in moments.instances_before
        for name, state in fleet.instances.items()
    )


def _epoch(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
