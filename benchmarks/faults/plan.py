"""What a run does, drawn from its seed before it begins: the mix of jobs and the faults. Pure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

#: Faults that take something away come in this share of the time; then the video's kills begin,
#: whose attempts would make every passing failure wait for minutes.
OUTAGES_SHARE = 0.6
#: How long a thing is away, in seconds.
SHORTEST_S, LONGEST_S = 2.0, 5.0
#: A fault of each sort in so many seconds; sooner in a short run, in which each still comes once.
_DEATH_EVERY_S, _OUTAGE_EVERY_S, _NOISE_EVERY_S = 6.0, 10.0, 2.5


class Fault(StrEnum):
    """What is done to the system."""

    KILL = "kill -9"
    TERM = "SIGTERM"
    NOTICE = "Spot notice"
    SQS_AWAY = "SQS answers 503"
    STORAGE_AWAY = "storage answers 503"
    POSTGRES_AWAY = "PostgreSQL stopped"
    POSTGRES_FROZEN = "PostgreSQL hangs"
    REDIS_AWAY = "Redis stopped"
    REDIS_FROZEN = "Redis hangs"
    DUPLICATES = "messages sent again"
    REORDER = "messages reordered"


OUTAGES = (
    Fault.SQS_AWAY,
    Fault.POSTGRES_AWAY,
    Fault.STORAGE_AWAY,
    Fault.REDIS_AWAY,
    Fault.POSTGRES_FROZEN,
    Fault.REDIS_FROZEN,
)
NOISE = (Fault.DUPLICATES, Fault.REORDER)
_FLEETS = ("messaging", "ai", "video")
#: Each way of ending for each fleet; the relay runs on no instance that a notice could be for.
DEATHS = (
    *((fault, kind) for fault in (Fault.KILL, Fault.TERM) for kind in (*_FLEETS, "relay")),
    *((Fault.NOTICE, kind) for kind in _FLEETS),
)
OUTAGES = (
    Fault.SQS_AWAY,
    Fault.POSTGRES_AWAY,
    Fault.STORAGE_AWAY,
    Fault.REDIS_AWAY,
    Fault.POSTGRES_FROZEN,
    Fault.REDIS_FROZEN,
)
NOISE = (Fault.DUPLICATES, Fault.REORDER)
#: Each way of ending for each fleet; the relay runs on no instance that a notice could be for.
DEATHS = (
    *(
        (fault, kind)
        for fault in (Fault.KILL, Fault.TERM)
        for kind in ("messaging", "ai", "video", "relay")
    ),
    *((Fault.NOTICE, kind) for kind in ("messaging", "ai", "video")),
)


@dataclass(frozen=True)
class Mix:
    """How many jobs of each kind; one video is killed over and over, one roster kills workers."""

    texts: int
    rosters: int
    exports: int
    videos: int
    kills: int


@dataclass(frozen=True)
class Event:
    """One fault: seconds after the start, what, to which fleet, for how long."""

    at_s: float
    fault: Fault
    kind: str = ""
    lasts_s: float = 0.0


def mix(jobs: int) -> Mix:
    """Return the mix of a run of `jobs` jobs, at least 20."""
    videos, rosters, exports = max(3, jobs // 50), max(5, jobs * 3 // 25), max(2, jobs * 3 // 50)
    kills = 10 if jobs >= 200 else 2
    return Mix(jobs - videos - rosters - exports, rosters, exports, videos, kills)


def length_s(jobs: int) -> float:
    """Return for how long jobs are submitted and faults injected."""
    return max(24.0, min(200.0, jobs * 0.4))


def events(seed: int, jobs: int) -> list[Event]:
    """Return the faults of a run in the order of their times. No two outages overlap."""
    draw, length = random.Random(seed), length_s(jobs)  # noqa: S311 - a run that can be repeated
    deaths = _spread(draw, DEATHS, length, _DEATH_EVERY_S)
    outages = _spread(draw, _alone(OUTAGES), length * OUTAGES_SHARE, _OUTAGE_EVERY_S)
    noise = _spread(draw, _alone(NOISE), length, _NOISE_EVERY_S)
    found = [Event(at, fault, kind=kind) for at, _, fault, kind in [*deaths, *noise]]
    for at, slot_s, fault, _ in outages:
        longest_s = min(LONGEST_S, slot_s / 2)
        lasts_s = draw.uniform(min(SHORTEST_S, longest_s), longest_s)
        found.append(Event(at, fault, lasts_s=lasts_s))
    return sorted(found, key=lambda event: event.at_s)


def _alone(faults: Sequence[Fault]) -> list[tuple[Fault, str]]:
    return [(fault, "") for fault in faults]


def _spread(
    draw: random.Random, faults: Sequence[tuple[Fault, str]], length_s: float, every_s: float
) -> list[tuple[float, float, Fault, str]]:
    """Return a time in the first half of each slot, the slot, and what happens: all in turn."""
    slots = max(len(faults), int(length_s / every_s))
    slot_s = length_s / slots
    shuffled = list(faults)
    drawn: list[tuple[float, float, Fault, str]] = []
    for number in range(slots):
        turn = number % len(shuffled)
        if turn == 0:
            draw.shuffle(shuffled)
        at = (number + draw.uniform(0, 0.5)) * slot_s
        drawn.append((at, slot_s, *shuffled[turn]))
    return drawn
