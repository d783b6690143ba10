"""AWS step scaling on visible messages: large steps on the first datapoint."""

from __future__ import annotations

from ops.simulate.peers.cloudwatch import DELAY_S, MINUTE_S, Series
from ops.simulate.policy import View

#: Visible messages from which on so many instances are added: never more than wait.
STEPS = tuple((count, count) for count in (1, 2, 3, 5, 10, 20, 50, 100, 200))
IN_DATAPOINTS = 15


class LargeSteps:
    """What a team tunes step scaling to when target tracking is too slow.

    One datapoint with a visible message adds instances by STEPS; those that warm up (boot) are part
    of the step, so that one alarm that goes on adds them once. After 15 datapoints without one an
    instance is taken away each minute, for an alarm's action is repeated while it lasts, but not
    while any warms up.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html
    """

    every_s = MINUTE_S
    metric_delay_s: float | None = DELAY_S
    idle_s: float | None = None

    def __init__(self, name: str, *, protected: bool) -> None:
        self.name = name
        self.protected = protected
        self._visible = Series()

    def decide(self, view: View) -> int | None:
        self._visible.put(view.waiting)
        added = step(STEPS, view.waiting) - view.booting
        if added > 0:
            return view.desired + added
        empty = self._visible.holds(IN_DATAPOINTS, lambda value: value <= 0)
        if empty and not view.booting and view.desired > view.minimum:
            return view.desired - 1
        return None


def step(steps: tuple[tuple[int, int], ...], value: float) -> int:
    """Return the adjustment of the last step that begins at or below `value`, else 0."""
    return next((change for lower, change in reversed(steps) if value >= lower), 0)
