"""Our rule and everybody's on the same weeks: 20 seeds at 20 and at 400 uploads a day.

    python -m benchmarks.simulate            prints the tables of docs/simulation.md
    python -m benchmarks.simulate million    a day of a million jobs, short ones and long ones

Fleets are those of prod's templates, boots take 120 to 180 s, and Spot takes an instance back 0.02
times in an hour. With a warm pool instances are on demand; so many stand by as ever work at once.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from ops.simulate.batch import Run, Scenario, run_all
from ops.simulate.clairvoyant import least_s
from ops.simulate.engine import simulate
from ops.simulate.fleet import WarmPool, Weather
from ops.simulate.load import WEEK, Draw
from ops.simulate.ours import Exact
from ops.simulate.policies import POLICIES
from ops.simulate.scenario import draw, fleet_of
from ops.simulate.summary import Summary, summarize
from ops.simulate.table import markdown

SEEDS = range(20)
#: Users a day, of whom one in 25 uploads a lecture, and the warm pools that are tried for them.
SIZES = {500: (2, 4, 8), 10000: (10, 20, 40)}
#: Of a fleet that may hold a million jobs a day: twice what its busiest hour needs.
ROOM = {"video": 40000, "messaging": 200}
MILLION = 1_000_000


def main(arguments: Sequence[str]) -> None:
    """Print what was asked for."""
    if arguments == ["million"]:
        for kind, most in ROOM.items():
            million(kind, most)
        return
    for users in SIZES:
        found = week(users)
        print(f"\n{users} users a day, {found[0].jobs} jobs in {len(SEEDS)} weeks\n")
        print(markdown(found))


def week(users: int) -> list[Summary]:
    """Return every policy's weeks, then ours with warm pools kept and pools filled anew."""
    plain = Scenario(fleet_of("prod", "video", users), Weather(), draw("video", users, 7))
    found = [*_summaries(plain, list(POLICIES))]
    for size in SIZES[users]:
        for reuse in (True, False):
            fleet = replace(plain.fleet, warm_pool=WarmPool(size, reuse=reuse))
            (made,) = _summaries(replace(plain, fleet=fleet), [Exact.name])
            how = "kept" if reuse else "filled anew"
            found.append(replace(made, policy=f"{made.policy}, warm pool of {size}, {how}"))
    return found


def million(kind: str, most: int) -> None:
    """Print how long a day of a million jobs takes to simulate."""
    fleet = replace(fleet_of("prod", kind, 10000), maximum=most)
    usual = draw(kind, 10000, 1)
    # A Monday is above the mean day.
    jobs = Draw(MILLION * sum(WEEK) / len(WEEK), usual.mean_job_s, 1, usual.batch)
    load = jobs.load(1)
    began = time.perf_counter()
    result = simulate(load, fleet, Exact(fleet), seed=1)
    took_s = time.perf_counter() - began
    bound_s = least_s(load, slots=fleet.rules.slots, boot_s=fleet.rules.boot_s)
    found = summarize(Exact.name, [Run(Exact.name, 1, 1, bound_s, result)], fleet.tariff)
    print(
        f"{kind}: {result.done} of {result.arrived} jobs in {took_s:.0f} s;"
        f" p95 {found.p95_s:.0f} s, cost {found.cost:.2f}, {result.peak} instances at once"
    )


def _summaries(scenario: Scenario, policies: Sequence[str]) -> list[Summary]:
    runs: dict[str, list[Run]] = defaultdict(list)
    for run in run_all(scenario, policies, SEEDS, told=_told):
        runs[run.policy].append(run)
    return [summarize(name, runs[name], scenario.fleet.tariff) for name in policies]


def _told(share: float) -> None:
    print(f"\r{share:4.0%}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
