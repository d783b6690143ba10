"""Our rule and everybody's on the same weeks: 20 seeds at 20 and at 400 uploads a day.

    python -m benchmarks.simulate            the tables of docs/simulation.md
    python -m benchmarks.simulate pools      where a warm pool pays, by kind of worker
    python -m benchmarks.simulate million    a day of a million jobs, short ones and long ones

Fleets are those of prod's templates, boots take 0.8 to 1.2 of `boot_s`, and Spot takes an instance
back 0.02 times in an hour. With a warm pool instances are on demand.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ops.cost.prices import load_prices
from ops.simulate.batch import Run, Scenario, run_all
from ops.simulate.clairvoyant import least_s
from ops.simulate.engine import simulate
from ops.simulate.fleet import Weather
from ops.simulate.load import WEEK, Draw
from ops.simulate.ours import Exact
from ops.simulate.policies import POLICIES
from ops.simulate.scenario import draw, fleet_of, pool_of
from ops.simulate.summary import Summary, summarize
from ops.simulate.table import markdown

SEEDS = range(20)
#: Warm pools differ by more than so many weeks do.
POOL_SEEDS = range(5)
#: Users a day, of whom one in 25 uploads a lecture, and the warm pools that are tried for them.
SIZES = {500: (2, 8), 10000: (10, 40)}
#: Warm pools by kind: as many as are seldom all at work.
POOLS = {
    "video": SIZES,
    "ai": {500: (1, 2), 10000: (2, 5)},
    "messaging": {500: (1,), 10000: (1, 2)},
}
#: Instances that a fleet with a million jobs a day may have.
ROOM = {"video": 40000, "messaging": 200}
MILLION = 1_000_000


def main(arguments: Sequence[str]) -> None:
    """Print what was asked for."""
    tables = {(): weeks, ("pools",): pools, ("million",): millions}
    tables[tuple(arguments)]()


def weeks() -> None:
    """Print every policy's weeks, then ours with warm pools."""
    for users, sizes in SIZES.items():
        plain = _scenario("video", users)
        found = [*_summaries(plain, POLICIES, SEEDS), *_with_pools(plain, sizes, SEEDS)]
        print(f"\n{users} users a day, {found[0].jobs} jobs in {len(SEEDS)} weeks\n")
        print(markdown(found), flush=True)


def pools() -> None:
    """Print what warm pools do to waits and to the month's bill, for each kind of worker."""
    days = load_prices().days_per_month
    print("| kind | users a day | warm pool | p50 s | p95 s | p99 s | cost | $ a month |")
    print("|---|---:|---|---:|---:|---:|---:|---:|")
    for kind, sizes in POOLS.items():
        for users, tried in sizes.items():
            plain = _scenario(kind, users)
            (none,) = _summaries(plain, [Exact.name], POOL_SEEDS)
            found = [replace(none, policy="none"), *_with_pools(plain, tried, POOL_SEEDS)]
            for each in found:
                waits = " | ".join(f"{wait:.0f}" for wait in (each.p50_s, each.p95_s, each.p99_s))
                pool, month = each.policy.removeprefix("exact, "), each.usd_a_day * days
                print(f"| {kind} | {users} | {pool} | {waits} | {each.cost:.2f} | {month:.2f} |")


def millions() -> None:
    """Print how long a day of a million jobs takes to simulate."""
    for kind, most in ROOM.items():
        fleet = replace(fleet_of("prod", kind, 10000), maximum=most)
        usual = draw(kind, 10000, 1)
        # A Monday is above the mean day.
        jobs = Draw(MILLION * sum(WEEK) / len(WEEK), usual.mean_job_s, 1, usual.batch)
        load = jobs.load(1)
        began, worked = time.perf_counter(), time.process_time()
        result = simulate(load, fleet, Exact(fleet), seed=1)
        took_s, cpu_s = time.perf_counter() - began, time.process_time() - worked
        bound_s = least_s(load, slots=fleet.rules.slots, boot_s=fleet.rules.boot_s)
        found = summarize(Exact.name, [Run(Exact.name, 1, 1, bound_s, result)], fleet.tariff)
        print(
            f"{kind}: {result.done} of {result.arrived} jobs in {took_s:.0f} s"
            f" ({cpu_s:.0f} s of CPU); p95 wait {found.p95_s:.0f} s, cost {found.cost:.2f},"
            f" {result.peak} instances at once"
        )


def _scenario(kind: str, users: int) -> Scenario:
    return Scenario(fleet_of("prod", kind, users), Weather(), draw(kind, users, 7))


def _with_pools(plain: Scenario, sizes: Sequence[int], seeds: Sequence[int]) -> list[Summary]:
    """Return ours with pools as `warm_pool` makes them, and with pools that take workers back."""
    found = []
    for size in sizes:
        for reuse in (False, True):
            fleet = replace(plain.fleet, warm_pool=pool_of(size, reuse=reuse))
            (made,) = _summaries(replace(plain, fleet=fleet), [Exact.name], seeds)
            how = "taken back" if reuse else "filled anew"
            found.append(replace(made, policy=f"{Exact.name}, {size} warm, {how}"))
    return found


def _summaries(scenario: Scenario, policies: Iterable[str], seeds: Sequence[int]) -> list[Summary]:
    chosen = list(policies)
    runs: dict[str, list[Run]] = defaultdict(list)
    for run in run_all(scenario, chosen, seeds, told=_told):
        runs[run.policy].append(run)
    return [summarize(name, runs[name], scenario.fleet.tariff) for name in chosen]


def _told(share: float) -> None:
    if sys.stderr.isatty():
        print(f"\r{share:4.0%}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
