"""Jobs and the instances that they run in."""

from __future__ import annotations

from enum import Enum, auto


class State(Enum):
    """BOOTING: not in the queue yet. DRAINING: hands its jobs back and takes none."""

    BOOTING = auto()
    SERVING = auto()
    DRAINING = auto()
    GONE = auto()


class Job:
    """One message. `left_s` is the work that no checkpoint holds yet."""

    __slots__ = ("arrived_s", "left_s", "receives", "started", "waits_since_s")

    def __init__(self, arrived_s: float, duration_s: float) -> None:
        self.arrived_s = arrived_s
        self.waits_since_s = arrived_s
        self.left_s = duration_s
        self.receives = 0
        self.started = False


class Instance:
    """One instance from its launch on. `running` holds its jobs with the moment of their start.

    `place` is its index among the instances with a free slot, -1 for none. `watched`: a timer that
    looks whether it is idle is under way.
    """

    __slots__ = ("born_s", "free", "idle_since_s", "place", "running", "spot", "state", "watched")

    def __init__(self, born_s: float, *, slots: int, spot: bool) -> None:
        self.born_s = born_s
        self.free = slots
        self.running: dict[Job, float] = {}
        self.spot = spot
        self.state = State.BOOTING
        self.place = -1
        self.idle_since_s = born_s
        self.watched = False

    @property
    def is_idle(self) -> bool:
        """Whether it polls and has nothing to do."""
        return self.state is State.SERVING and not self.running
