"""Workers under the real leave protocol, their group, their queue and EC2, as a graph of states.

Workers are alike and so are jobs: workers are kept in order, jobs are counted. Steps that happen by
themselves sooner or later are `fair`; the others may happen at any time, or never: faults, and acts
of people, of EC2 and of the group against its instances. A call takes effect in one step and is
answered in another. A receive begins, is served and is delivered in three. The loop is that of
worker_images.base.consumer, where a receive of another queue may outlast the loop's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from worker_images.base.leaving import START, Answer, Event, Leave, Phase, answered, told

ABSENT, PENDING, IN_SERVICE, TERMINATING = "absent", "pending", "in service", "terminating"
#: A receive: none, on its way to the queue, and with a message for this worker.
NONE, ASKED, BROUGHT = "", "asked", "brought"
CALLS = (Phase.PROTECTING, Phase.UNPROTECTING, Phase.TERMINATING)


class Call(NamedTuple):
    """A call on its way: what the worker wanted, and the answer once it has had its effect."""

    leave: Leave
    answer: Answer | None = None


class Worker(NamedTuple):
    """An instance and the process on it.

    `hand` counts its jobs. `notice` is EC2's: none, asked for by EC2, or told to the process.
    """

    leave: Leave = START
    instance: str = ABSENT
    protected: bool = False
    version: int = 0
    call: Call | None = None
    receive: str = NONE
    hand: int = 0
    notice: str = NONE

    @property
    def active(self) -> bool:
        """Whether the group counts it."""
        return self.instance in (PENDING, IN_SERVICE)

    @property
    def busy(self) -> bool:
        """Whether a job would suffer from its end."""
        return bool(self.hand or self.receive)


class World(NamedTuple):
    """A state of everything. Jobs are unsent, visible, held, or in flight and nobody's."""

    workers: tuple[Worker, ...]
    unsent: int
    visible: int = 0
    orphaned: int = 0
    desired: int = 0
    maximum: int = 1
    version: int = 0

    @property
    def active(self) -> int:
        """The group's instances that count."""
        return sum(worker.active for worker in self.workers)


class Step(NamedTuple):
    """What happens next; `broken` says which promise it breaks."""

    label: str
    after: World
    fair: bool = False
    broken: str = ""


class Rules(NamedTuple):
    """What a worker does: the protocol, and how the loop follows it. Mutants change these."""

    start: Leave = START
    told: Callable[[Leave, Event], Leave] = told
    answered: Callable[[Leave, Phase, Answer], Leave] = answered
    polls_in: frozenset[Phase] = frozenset({Phase.POLLING})
    empty: Callable[[Worker], bool] = lambda worker: not worker.busy


class Scenario(NamedTuple):
    """How much of everything there is, and which of the steps that are not fair may happen."""

    workers: int
    jobs: int
    slots: int
    minimum: int
    maximum: int
    events: frozenset[str]
    rules: Rules = Rules()

    @property
    def first(self) -> World:
        """Nothing runs, nothing is sent."""
        return World(
            (Worker(),) * self.workers, self.jobs, desired=self.minimum, maximum=self.maximum
        )

    def rests(self, world: World) -> bool:
        """Whether nothing is left to do, and nobody is there who need not be."""
        here = [worker for worker in world.workers if worker.instance != ABSENT]
        return (
            not (world.unsent or world.visible or world.orphaned)
            and len(here) == world.active == world.desired == self.minimum
            and all(not worker.busy and worker.version == world.version for worker in here)
        )


def broken(world: World) -> str:
    """Return the promise that a state breaks, if any."""
    for worker in world.workers:
        if worker.busy and worker.instance == IN_SERVICE and not worker.protected:
            return "a worker that polls or works is not protected"
        if worker.busy and worker.leave.phase is Phase.ENDED:
            return "a process ended with work in hand"
    return ""


def replaced(world: World, at: int, worker: Worker, **changes: int) -> World:
    """Return a world with another worker at a place."""
    workers = [*world.workers]
    workers[at] = worker
    return world._replace(workers=tuple(sorted(workers, key=hash)), **changes)


def ended(worker: Worker) -> str:
    """Return what is broken when somebody but EC2 ends an instance."""
    return "a busy worker was ended" if worker.busy else ""


Steps = Iterator[Step]
