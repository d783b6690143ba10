"""KEDA's SQS scaler, by the Kubernetes autoscaler for a deployment and by jobs of its own."""

from __future__ import annotations

import math
from collections import deque

from ops.simulate.policy import View

#: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
SYNC_S = 15.0
TOLERANCE = 0.1
STABLE_S = 300.0
#: By default a sync may add four pods or double them, whichever is more.
UP_PODS, UP_SHARE = 4, 1.0
#: https://keda.sh/docs/latest/reference/scaledobject-spec/
POLL_S = 30.0
COOLDOWN_S = 300.0
#: https://keda.sh/docs/latest/scalers/aws-sqs/
QUEUE_LENGTH = 5


class Keda:
    """A ScaledObject: KEDA wakes the deployment and puts it to rest, the autoscaler does the rest.

    Messages are the visible ones and those in flight (`scaleOnInFlight`, the default). From zero,
    a poll each 30 s that finds any sets one replica; to zero, 300 s after the last that found any.
    In between, each 15 s: ceil(messages / queueLength) replicas where that is off by more than a
    tenth, up at once within the default limits, down to the highest number wanted within the last
    300 s. Pods taken away are killed, busy or not. A replica stands for an instance.

    https://keda.sh/docs/latest/scalers/aws-sqs/
    https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
    """

    every_s = SYNC_S
    metric_delay_s: float | None = None
    protected = False
    idle_s: float | None = None

    def __init__(self, name: str, *, queue_length: int = QUEUE_LENGTH) -> None:
        self.name = name
        self._queue_length = queue_length
        self._wanted: deque[tuple[float, int]] = deque()
        self._polled_s = self._active_s = -math.inf

    def decide(self, view: View) -> int | None:
        messages = view.waiting + view.running
        if view.now_s - self._polled_s >= POLL_S:
            self._polled_s = view.now_s
            if messages:
                self._active_s = view.now_s
            if messages and not view.desired:
                return 1
            if view.now_s - self._active_s > COOLDOWN_S:
                return 0 if view.desired else None
        return self._autoscaled(view, messages) if view.desired else None

    def _autoscaled(self, view: View, messages: int) -> int | None:
        wanted = min(max(replicas(messages, self._queue_length, view.desired), 1), view.maximum)
        if not self._wanted:
            self._wanted.append((view.now_s, view.desired))
        self._wanted.append((view.now_s, wanted))
        while self._wanted[0][0] < view.now_s - STABLE_S:
            self._wanted.popleft()
        if wanted > view.desired:
            most = max(view.desired + UP_PODS, math.ceil(view.desired * (1 + UP_SHARE)))
            return min(wanted, most)
        highest = max(number for _, number in self._wanted)
        return highest if highest < view.desired else None


class KedaJobs:
    """A ScaledJob, what KEDA's documentation advises for long work: a pod that ends by itself.

    A poll each 30 s starts ceil(messages / queueLength) jobs less those that run (the default
    strategy); nothing is ever taken away. A pod takes one message and ends. Here, in KEDA's favour,
    it goes on while messages wait: the next pod would find its instance still there.

    https://keda.sh/docs/latest/concepts/scaling-jobs/
    https://keda.sh/docs/latest/reference/scaledjob-spec/
    """

    every_s = POLL_S
    metric_delay_s: float | None = None
    protected = True
    idle_s: float | None = 1.0

    def __init__(self, name: str, *, queue_length: int) -> None:
        self.name = name
        self._queue_length = queue_length

    def decide(self, view: View) -> int | None:
        wanted = math.ceil((view.waiting + view.running) / self._queue_length)
        wanted = min(wanted, view.maximum)
        return wanted if wanted > view.desired else None


def replicas(messages: int, queue_length: int, current: int) -> int:
    """Return what the autoscaler wants of `current` replicas for an average of `queue_length`."""
    if 1 - TOLERANCE <= messages / (queue_length * current) <= 1 + TOLERANCE:
        return current
    return math.ceil(messages / queue_length)
