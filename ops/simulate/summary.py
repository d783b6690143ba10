"""What the runs of a policy come to: waits of all jobs together, the rest a day."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ops.simulate.batch import Run
from ops.simulate.fleet import Tariff

HOUR_S = 3600.0


@dataclass(frozen=True)
class Summary:
    """A policy over all its seeds. Waits in seconds from arrival to the first start.

    `cost` is instance-seconds as a multiple of the clairvoyant bound; `usd_a_day` also holds what
    stopped instances cost. Jobs that never started count in the waits for as long as was watched.
    """

    policy: str
    jobs: int
    p50_s: float
    p95_s: float
    p99_s: float
    cost: float
    hours_a_day: float
    usd_a_day: float
    busy_kills_a_day: float
    rework_hours_a_day: float
    spot_losses_a_day: float
    peak: int
    dead: int
    unstarted: int


def summarize(policy: str, runs: Iterable[Run], tariff: Tariff) -> Summary:
    """Put the runs of one policy together."""
    found = list(runs)
    results = [each.result for each in found]
    days = sum(each.days for each in found)
    waits = sorted(wait for each in results for wait in each.waits_s)
    instance_s = sum(each.instance_s for each in results)
    least_s = sum(each.least_s for each in found)
    usd = (
        sum(each.on_demand_instance_s for each in results) * tariff.on_demand_usd
        + sum(each.spot_instance_s for each in results) * tariff.spot_usd
        + sum(each.stopped_s for each in results) * tariff.stopped_usd
    ) / HOUR_S
    return Summary(
        policy=policy,
        jobs=sum(each.arrived for each in results),
        p50_s=percentile(waits, 0.50),
        p95_s=percentile(waits, 0.95),
        p99_s=percentile(waits, 0.99),
        cost=instance_s / least_s if least_s else 0.0,
        hours_a_day=instance_s / HOUR_S / days,
        usd_a_day=usd / days,
        busy_kills_a_day=sum(each.busy_kills for each in results) / days,
        rework_hours_a_day=sum(each.rework_s for each in results) / HOUR_S / days,
        spot_losses_a_day=sum(each.spot_losses for each in results) / days,
        peak=max(each.peak for each in results),
        dead=sum(each.dead for each in results),
        unstarted=sum(each.unstarted for each in results),
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of the ordered values do not exceed."""
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)] if ordered else 0.0
