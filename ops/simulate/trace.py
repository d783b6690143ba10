"""From the counts of what ended in each period to when every job came and how long it took. Pure.

CloudWatch keeps of each period a sum, a count, the least and the greatest value: of one or two jobs
that is all of them, and of more it keeps the tail, which is what a fleet's waits come from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

#: Kept by CloudWatch for 63 days
#: (docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html).
PERIOD_S = 300
KEPT_DAYS = 63
#: What a job takes at least, since a trace has no job that takes no time.
_LEAST_S = 0.001


@dataclass(frozen=True)
class Period:
    """What ended within PERIOD_S from `at_s` on, in seconds from the trace's beginning.

    `jobs` succeeded. Deliveries, of which a job may have had several, took `total_s` together, one
    of them at least `shortest_s` and at most `longest_s`; from being ready to their start the jobs
    took `wait_s` in the mean.
    """

    at_s: float
    jobs: int
    deliveries: int
    total_s: float
    shortest_s: float
    longest_s: float
    wait_s: float


def jobs_of(periods: Iterable[Period]) -> list[tuple[float, float]]:
    """Return (arrival, duration) of every job that came within the trace, in order of arrival.

    A period's jobs end at even distances within it: the same periods give the same trace.
    """
    return sorted(job for period in periods for job in _jobs(period) if job[0] >= 0)


def _jobs(period: Period) -> Iterator[tuple[float, float]]:
    for number, duration_s in enumerate(durations_s(period)):
        ended_s = period.at_s + (number + 0.5) * PERIOD_S / period.jobs
        yield round(ended_s - duration_s - period.wait_s, 3), duration_s


def durations_s(period: Period) -> list[float]:
    """Return how long each job of a period took, which is `total_s` together.

    Where there were more deliveries than jobs nobody knows whose they were: all are alike.
    """
    count = period.jobs
    if not count:
        return []
    if period.deliveries != count or count == 1:
        found = [period.total_s / count] * count
    else:
        others_s = period.total_s - period.shortest_s - period.longest_s
        between = [others_s / (count - 2)] * (count - 2) if count > 2 else []
        found = [period.shortest_s, *between, period.longest_s]
    return [max(_LEAST_S, round(each, 3)) for each in found]
