"""How a metric alarm judges its data points. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
(evaluating an alarm, and how missing data is treated)
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"
#: Periods looked at besides the evaluation periods, so that late data still counts.
EXTRA_PERIODS = 2

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


class NotPlayedError(ValueError):
    """An alarm of a kind that is not evaluated here; says which."""


@dataclass(frozen=True)
class Sample:
    """One published data point: a value, or a statistic set over `count` values."""

    at: float
    count: float
    total: float
    low: float
    high: float
    unit: str | None = None


@dataclass(frozen=True)
class Threshold:
    """What an alarm compares: `needed` of the last `periods` data points breach."""

    comparison: str
    value: float
    periods: int
    needed: int
    missing: str

    def breaches(self, point: float) -> bool:
        """Say whether one data point breaches.

        Raises: NotPlayedError for comparisons with an anomaly band.
        """
        if self.comparison not in COMPARISONS:
            raise NotPlayedError(f"comparison {self.comparison} is not played")
        return COMPARISONS[self.comparison](point, self.value)


def statistic(name: str, samples: Sequence[Sample]) -> float:
    """Return one statistic of a period's samples; `p95` and the like by nearest rank.

    Raises: NotPlayedError.
    """
    if name == "Average":
        return sum(s.total for s in samples) / sum(s.count for s in samples)
    if name == "Sum":
        return sum(s.total for s in samples)
    if name == "SampleCount":
        return sum(s.count for s in samples)
    if name == "Minimum":
        return min(s.low for s in samples)
    if name == "Maximum":
        return max(s.high for s in samples)
    if name.startswith("p") and name[1:].replace(".", "", 1).isdigit():
        values = sorted(s.total / s.count for s in samples)
        rank = math.ceil(float(name[1:]) / 100 * len(values))
        return values[max(0, rank - 1)]
    raise NotPlayedError(f"statistic {name} is not played")


def by_period(
    samples: Sequence[Sample], name: str, period_s: int, count: int, now: float
) -> list[float | None]:
    """Return the statistic of the last `count` whole periods, oldest first, None without data."""
    end = now // period_s * period_s
    start = end - count * period_s
    buckets: list[list[Sample]] = [[] for _ in range(count)]
    for sample in samples:
        if start <= sample.at < end:
            buckets[int((sample.at - start) // period_s)].append(sample)
    return [statistic(name, bucket) if bucket else None for bucket in buckets]


def judge(points: Sequence[float | None], threshold: Threshold, before: str) -> str:
    """Return an alarm's state from its points, oldest first, and the state before.

    With as many real points as evaluation periods, the latest of them decide. Otherwise the missing
    ones are treated as the alarm says. `missing` and `ignore` take a real point that is fine for
    OK; where all real ones breach, too few of them make an alarm only once the oldest is `needed`
    periods old, so that the next point, should it be fine, has had its time.
    """
    ages = range(len(points), 0, -1)
    real = [(age, point) for age, point in zip(ages, points, strict=True) if point is not None]
    real = real[-threshold.periods :]
    absent = threshold.periods - len(real)
    breaching = sum(threshold.breaches(point) for _, point in real)
    if breaching >= threshold.needed:
        return ALARM
    if threshold.missing == "breaching":
        return ALARM if breaching + absent >= threshold.needed else OK
    if threshold.missing == "notBreaching" or breaching < len(real):
        return OK
    if threshold.missing == "ignore":
        return before
    if not real:
        return INSUFFICIENT
    return ALARM if real[0][0] >= threshold.needed else before
