"""The fleet while the metric function is dead: Auto Scaling's step policy of the template alone."""

from __future__ import annotations

from collections import deque

from ops.simulate.fleet import Fleet
from ops.simulate.policy import View


class Backstop:
    """Adds the step of the jobs that wait, when some did in each of the alarm's last minutes.

    What it added and still warms up is part of its step. Workers leave by themselves, as ever.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html
    """

    name = "backstop"
    every_s = 60.0
    metric_delay_s: float | None = 60.0
    protected = True

    def __init__(self, fleet: Fleet) -> None:
        self._backstop = fleet.backstop
        self.idle_s: float | None = fleet.idle_s
        self._visible: deque[int] = deque(maxlen=fleet.backstop.minutes if fleet.backstop else 0)
        self._added: deque[tuple[float, int]] = deque()

    def decide(self, view: View) -> int | None:
        """Return the capacity with what the step adds, None while the alarm is silent."""
        if self._backstop is None:
            return None
        self._visible.append(view.waiting)
        while self._added and self._added[0][0] <= view.now_s - self._backstop.warm_up_s:
            self._added.popleft()
        if len(self._visible) < self._backstop.minutes or not all(self._visible):
            return None
        step = max(add for lower, add in self._backstop.steps if view.waiting >= lower)
        more = min(step - sum(add for _, add in self._added), view.maximum - view.desired)
        if more <= 0:
            return None
        self._added.append((view.now_s, more))
        return view.desired + more
