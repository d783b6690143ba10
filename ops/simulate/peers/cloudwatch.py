"""CloudWatch as a peer's alarm sees it: one datapoint a minute, a minute late."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

#: Metrics of SQS and an operator's own come once a minute and are there a minute later; alarms look
#: at a sliding window once a minute
#: (docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation-window.html). That SQS's
#: are up to 15 minutes late after a queue's 6 h of rest (docs.aws.amazon.com/AWSSimpleQueueService/
#: latest/SQSDeveloperGuide/monitoring-using-cloudwatch.html) is left out, in the peers' favour.
MINUTE_S = 60.0
DELAY_S = 60.0
#: The longest look back of an alarm here.
_KEPT = 15


class Series:
    """A metric's latest datapoints, the newest last."""

    def __init__(self) -> None:
        self._points: deque[float] = deque(maxlen=_KEPT)

    def put(self, value: float) -> None:
        """Add a minute's datapoint."""
        self._points.append(value)

    @property
    def newest(self) -> float:
        return self._points[-1]

    def latest(self, count: int) -> list[float]:
        """Return the last `count` datapoints; fewer at first."""
        return list(self._points)[-count:]

    def holds(self, count: int, breaches: Callable[[float], bool]) -> bool:
        """Say whether `count` of `count` datapoints breach; too few are not enough."""
        points = self.latest(count)
        return len(points) == count and all(breaches(each) for each in points)
