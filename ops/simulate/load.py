"""Jobs as they come: when each arrives and how long it takes, drawn from a school's week or read.

The profile is a guess, since no school has used the platform yet: teachers upload after lessons, so
there is a hump in the afternoon and a higher one in the evening, on Saturday half of a weekday and
on Sunday a quarter. `academy trace` writes what really came, to be replayed instead.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random

DAY_S, HOUR_S = 86400.0, 3600.0
#: Share of a day's jobs by the hour that they come in, of 100.
HOURS = (1, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 4, 3, 4, 6, 9, 10, 8, 5, 7, 11, 12, 7, 3)
#: Jobs of Monday to Sunday, a weekday's being 1.
WEEK = (1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.25)
#: Of the lognormal durations: median 600 s and mean 857 s (performance.md), so s = sqrt(2 ln 1.43).
SIGMA = math.sqrt(2 * math.log(857 / 600))


@dataclass(frozen=True)
class Load:
    """Jobs in order of their arrival, in seconds from Monday, 0 h; they come for `days` days."""

    arrivals_s: array[float]
    durations_s: array[float]
    days: float

    def __len__(self) -> int:
        return len(self.arrivals_s)


@dataclass(frozen=True)
class Draw:
    """How a load is drawn; another one for each seed."""

    jobs_a_day: float
    mean_job_s: float
    days: int
    batch: int = 1

    def load(self, seed: int) -> Load:
        """Return a seed's load."""
        return school_days(self, seed)


@dataclass(frozen=True)
class Replay:
    """A load that is the same for every seed, under other weather."""

    jobs: Load

    def load(self, seed: int) -> Load:
        """Return the load."""
        return self.jobs


def school_days(draw: Draw, seed: int) -> Load:
    """Draw a load: groups of `batch` jobs arrive at once, Poisson at the rate of their hour.

    `jobs_a_day` is the mean over a week. Durations are lognormal with the mean `mean_job_s`.
    The same arguments give the same jobs.
    """
    random = Random(seed)  # noqa: S311 - a simulation wants to be repeated
    mu = math.log(draw.mean_job_s) - SIGMA**2 / 2
    moments = _moments(draw.jobs_a_day / draw.batch, draw.days, random)
    arrivals = array("d", (at_s for at_s in moments for _ in range(draw.batch)))
    durations = array("d", (random.lognormvariate(mu, SIGMA) for _ in arrivals))
    return Load(arrivals, durations, draw.days)


def loaded(jobs: Iterable[tuple[float, float]]) -> Load:
    """Return the load of (arrival, duration) pairs in any order; its days are whole ones."""
    pairs = sorted(jobs)
    days = math.floor(pairs[-1][0] / DAY_S) + 1 if pairs else 0
    return Load(array("d", (at for at, _ in pairs)), array("d", (took for _, took in pairs)), days)


def _moments(a_day: float, days: int, random: Random) -> Iterator[float]:
    """Yield Poisson arrivals. The process has no memory, so that each hour starts anew."""
    scale = a_day * len(WEEK) / sum(WEEK) / sum(HOURS)
    for hour in range(days * len(HOURS)):
        day, of_day = divmod(hour, len(HOURS))
        an_hour = scale * WEEK[day % len(WEEK)] * HOURS[of_day]
        at = random.expovariate(an_hour) if an_hour else math.inf
        while at < 1:
            yield (hour + at) * HOUR_S
            at += random.expovariate(an_hour)
