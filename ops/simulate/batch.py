"""Many runs: every policy on every seed, in two processes that give way to all others."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context

from ops.simulate.clairvoyant import least_s
from ops.simulate.engine import simulate
from ops.simulate.fleet import Fleet, Weather
from ops.simulate.load import Draw, Replay
from ops.simulate.policies import POLICIES
from ops.simulate.result import Result

PROCESSES = 2
NICENESS = 10


@dataclass(frozen=True)
class Scenario:
    """A fleet, its weather and where its jobs come from."""

    fleet: Fleet
    weather: Weather
    source: Draw | Replay


@dataclass(frozen=True)
class Run:
    """One policy on one seed. `least_s` is what a clairvoyant fleet would pay at least."""

    policy: str
    seed: int
    days: float
    least_s: float
    result: Result


@dataclass(frozen=True)
class _Task:
    scenario: Scenario
    policy: str
    seed: int
    keeps_samples: bool


def run_all(
    scenario: Scenario,
    policies: Sequence[str],
    seeds: Sequence[int],
    *,
    told: Callable[[float], None],
) -> Iterator[Run]:
    """Yield each run as it ends; `told` hears the share that is done.

    Samples of the week are kept for the first seed alone. A single run is made in this process.
    """
    tasks = [
        _Task(scenario, policy, seed, keeps_samples=seed == seeds[0])
        for seed in seeds
        for policy in policies
    ]
    if len(tasks) == 1:
        yield _run(tasks[0], told)
        return
    # Spawned, so that a child inherits neither threads nor an open terminal.
    with get_context("spawn").Pool(min(PROCESSES, len(tasks)), _give_way) as pool:
        for count, run in enumerate(pool.imap_unordered(_run, tasks), start=1):
            told(count / len(tasks))
            yield run


def _give_way() -> None:
    """Let an interrupt end the parent alone, which then ends its children."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)


def _run(task: _Task, told: Callable[[float], None] = lambda share: None) -> Run:
    fleet = task.scenario.fleet
    load = task.scenario.source.load(task.seed)
    result = simulate(
        load,
        fleet,
        POLICIES[task.policy](fleet),
        seed=task.seed,
        weather=task.scenario.weather,
        told=told,
    )
    if not task.keeps_samples:
        result.samples.clear()
    bound_s = least_s(load, slots=fleet.rules.slots, boot_s=fleet.rules.boot_s)
    return Run(task.policy, task.seed, load.days, bound_s, result)
