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
#: A fault of each sort in so many seconds.
_EVERY_S = {"death": 6.0, "outage": 10.0, "noise": 2.5}


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


DEATHS = (Fault.KILL, Fault.TERM, Fault.NOTICE)
OUTAGES = (
    Fault.SQS_AWAY,
    Fault.POSTGRES_AWAY,
    Fault.STORAGE_AWAY,
    Fault.REDIS_AWAY,
    Fault.POSTGRES_FROZEN,
    Fault.REDIS_FROZEN,
)
NOISE = (Fault.DUPLICATES, Fault.REORDER)
KINDS = ("messaging", "ai", "video")


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
    outages_end = length * OUTAGES_SHARE
    found = [
        Event(at, fault, kind=kind)
        for at, (fault, kind) in _spread(draw, DEATHS, length, _EVERY_S["death"], KINDS)
    ]
    slot = _EVERY_S["outage"] if outages_end >= 60 else outages_end / len(OUTAGES)
    for at, (fault, _) in _spread(draw, OUTAGES, outages_end, slot, ("",)):
        longest = min(LONGEST_S, slot / 2)
        found.append(Event(at, fault, lasts_s=draw.uniform(min(SHORTEST_S, longest), longest)))
    noise = _spread(draw, NOISE, length, _EVERY_S["noise"], ("",))
    found += [Event(at, fault) for at, (fault, _) in noise]
    return sorted(found, key=lambda event: event.at_s)


def _spread(
    draw: random.Random,
    faults: Sequence[Fault],
    length_s: float,
    slot_s: float,
    kinds: Sequence[str],
) -> list[tuple[float, tuple[Fault, str]]]:
    """Return a time in the first half of each slot, and what happens then: all in turn."""
    everything = [(fault, kind) for fault in faults for kind in kinds]
    drawn: list[tuple[float, tuple[Fault, str]]] = []
    for number in range(int(length_s / slot_s)):
        if number % len(everything) == 0:
            draw.shuffle(everything)
        at = (number + draw.uniform(0, 0.5)) * slot_s
        drawn.append((at, everything[number % len(everything)]))
    return drawn
