"""What an operator asks to be simulated, made of templates, settings and assumptions of use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from config.settings import load_settings
from ops import deploying, places
from ops.changes import assembly as assemblies
from ops.cost.estate import Estate
from ops.cost.usage import Usage, load_usage
from ops.errors import UsageError
from ops.simulate.batch import Scenario
from ops.simulate.fleet import Fleet, WarmPool, Weather
from ops.simulate.load import Draw, Replay
from ops.simulate.load_file import read_load
from ops.simulate.template import read_fleet

#: Images do not change a fleet's size; synth wants to know which.
IMAGE_TAG = "simulate"
#: The sizes that an environment can be synthesized for.
SIZES = (500, 10000)
#: Jobs that arrive together: a class's sheets, a lesson's texts (config/usage/500.yaml).
BATCHES = {"video": 1, "ai": 5, "messaging": 30}


@dataclass(frozen=True)
class Asked:
    """The command line.

    `users` None are the environment's own, `warm_pool` None is the template's. With `reuse` workers
    that leave go back into the pool.
    """

    environment: str
    kind: str
    users: int | None
    trace: Path | None
    days: int
    weather: Weather
    warm_pool: int | None
    reuse: bool


def scenario(asked: Asked) -> Scenario:
    """Synthesize an environment, unless that is done already, and read the fleet out of it.

    Raises: UsageError for a kind that it has not, or a trace that cannot be read; OperatorError
    with what the synth said.
    """
    settings = load_settings(asked.environment)
    if asked.kind not in settings.workers:
        known = ", ".join(settings.workers)
        raise UsageError(f"--kind is {asked.kind!r}; {asked.environment} has {known}")
    users = asked.users or settings.users_per_day
    source = Replay(read_load(asked.trace)) if asked.trace else draw(asked.kind, users, asked.days)
    fleet = fleet_of(asked.environment, asked.kind, users)
    if asked.warm_pool is not None:
        fleet = replace(fleet, warm_pool=pool_of(asked.warm_pool, reuse=asked.reuse))
    return Scenario(fleet, asked.weather, source)


def pool_of(size: int, *, reuse: bool) -> WarmPool | None:
    """Return a pool of `size`: as ours is configured, or one that takes back who leaves."""
    if not size:
        return None
    return WarmPool(0 if reuse else size, size, reuse)


def fleet_of(environment: str, kind: str, users: int) -> Fleet:
    """Return a fleet of an environment that is made for so many users. Raises: as `scenario`."""
    size = _size(users)
    assembly = places.ASSEMBLIES / "simulate" / f"{environment}-{size}"
    deploying.synthesize(environment, IMAGE_TAG, assembly, users_per_day=size)
    settings = load_settings(environment, users_per_day=size)
    return read_fleet(Estate(assemblies.read(assembly)), settings, _usage(users), kind)


def draw(kind: str, users: int, days: int) -> Draw:
    """Return the jobs of so many users a day: of lectures one for 25 users (config/usage)."""
    usage = _usage(users)
    use = usage.workers[kind]
    a_day = use.jobs_a_day * users / usage.users_a_day
    return Draw(a_day, use.job_s, days, BATCHES[kind])


def _usage(users: int) -> Usage:
    """Return how prod is used at the size for so many users; others are tried like prod."""
    return load_usage("prod", _size(users))


def _size(users: int) -> int:
    return next((size for size in SIZES if users <= size), SIZES[-1])
