"""500 mixed jobs while workers die, services go away, and messages come twice and out of order.

    python -m benchmarks.faults [--jobs 500] [--seed 1] [--json] [--report docs/fault-run.md]

Exit code 1 when an invariant broke; the processes' logs are kept then, and where is said.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.faults.chaos import Chaos
from benchmarks.faults.checks import judge
from benchmarks.faults.facts import gather
from benchmarks.faults.fleet import Fleet
from benchmarks.faults.opening import opened
from benchmarks.faults.orders import Orders
from benchmarks.faults.plan import OUTAGES_SHARE, events, length_s, mix
from benchmarks.faults.report import Run, as_json, as_markdown
from benchmarks.faults.world import World
from worker_images.base.claims import BUSY_LIMIT_S

#: After the last order everything has to be over within this.
SETTLE_S = 420.0
_TELL_S = 5.0


def main() -> int:
    """Run once; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=500, help="how many, at least 20")
    parser.add_argument("--seed", type=int, default=1, help="of the mix and the faults")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--report", type=Path, help="write the table into this file")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix="academy-faults-"))
    folder.chmod(0o755)
    # A worker that is killed leaves half a request behind, of which the embedded AWS tells.
    logging.basicConfig(filename=folder / "aws.log")
    kept = True
    try:
        with opened(folder) as world:
            run = _run(world, options.jobs, options.seed)
        kept = not run.holds
    except KeyboardInterrupt:
        kept = False
        return 130
    finally:
        if kept:
            _say(f"logs: {folder}")
        else:
            shutil.rmtree(folder)
    if options.report:
        options.report.write_text(as_markdown(run), encoding="utf-8")
    print(json.dumps(as_json(run), indent=2) if options.json else as_markdown(run))
    return 0 if run.holds else 1


def _run(world: World, jobs: int, seed: int) -> Run:
    wanted, draw = mix(jobs), random.Random(seed)  # noqa: S311 - a run that can be repeated
    orders, fleet = Orders(world, wanted), Fleet(world)
    chaos = Chaos(world, fleet, random.Random(seed + 1))  # noqa: S311
    progress = _Progress(world, orders, chaos, fleet)
    orders.prepare()
    try:
        fleet.start()
        began = time.monotonic()
        chaos.spoil()
        chaos.start(events(seed, jobs))
        chaos.beside(lambda: _kill_by_poison(orders, chaos))
        chaos.beside(lambda: _torment(orders, chaos, length_s(jobs) * OUTAGES_SHARE))
        orders.submit(draw, length_s(jobs), progress.tick)
        ordered_s = time.monotonic() - began
        _settle(world, chaos, progress)
        took_s = time.monotonic() - began
    finally:
        orders.abandoned.set()
        chaos.ended.set()
        chaos.join()
        fleet.stop()
    facts = gather(world, orders, fleet, chaos)
    return Run(
        jobs=jobs,
        seed=seed,
        cores=len(os.sched_getaffinity(0)),
        ordered_s=ordered_s,
        took_s=took_s,
        repeated=orders.repeated,
        done=chaos.done,
        endings=fleet.endings,
        facts=facts,
        checks=judge(facts),
    )


def _kill_by_poison(orders: Orders, chaos: Chaos) -> None:
    while not orders.poison_job:
        if chaos.ended.wait(0.05):
            return
    chaos.kill_each(orders.poison_job)


def _torment(orders: Orders, chaos: Chaos, after_s: float) -> None:
    if not chaos.ended.wait(after_s):
        orders.torment()
        chaos.kill_after_parts(orders.tormented_job, orders.mix.kills)


def _settle(world: World, chaos: Chaos, progress: _Progress) -> None:
    """Wait until all is over: the faults, the jobs, the messages.

    What the jobs leave behind are duplicates that may be hidden for long: SQS's clock is put on.
    """
    deadline = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline:
        progress.tick()
        if not (chaos.busy or world.open_jobs() or world.unsent()):
            if not world.queued():
                return
            world.clock.ahead_s = BUSY_LIMIT_S
        time.sleep(0.2)


class _Progress:
    """A line every few seconds, for whoever waits."""

    def __init__(self, world: World, orders: Orders, chaos: Chaos, fleet: Fleet) -> None:
        self._world, self._orders, self._chaos, self._fleet = world, orders, chaos, fleet
        self._began = self._told = time.monotonic()

    def tick(self) -> None:
        """Say where the run is, unless that was said just now."""
        now = time.monotonic()
        if now - self._told < _TELL_S:
            return
        self._told = now
        world = self._world
        _say(
            f"{now - self._began:5.0f} s  {world.open_jobs():4d} jobs open"
            f"  {world.queued():4d} messages  {world.queued(dead=True):3d} dead letters"
            f"  {len(world.provider.out):4d} texts out"
            f"  {self._chaos.done.total():4d} faults  {self._fleet.endings.total():3d} ended"
        )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
