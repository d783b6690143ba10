"""AWS target tracking on a queue's backlog per instance."""

from __future__ import annotations

import math

from ops.simulate.peers.cloudwatch import DELAY_S, MINUTE_S, Series
from ops.simulate.policy import View

#: The alarms that it makes, a minute a datapoint, which cannot be set
#: (https://github.com/aws/containers-roadmap/issues/1208), and how far below its target it scales
#: in (docs.aws.amazon.com/autoscaling/application/userguide/
#: target-tracking-scaling-policy-overview.html).
OUT_DATAPOINTS, IN_DATAPOINTS = 3, 15
IN_SHARE = 0.9


class TargetTracking:
    """A target of jobs per instance, published each minute as AWS's guide for SQS has it.

    Out when the metric lies above its target for 3 minutes, in when below 0.9 of it for 15; both in
    proportion, rounded to the larger fleet. Instances that warm up, here those that boot, are no
    part of the metric, count when more are added, and keep the fleet from being made smaller. A
    smaller capacity is set although instances are protected, which then go when they are not.
    The metric is the visible messages, or with `in_flight` those in flight too, divided by the
    instances in service; AWS leaves open what zero of them give, here 1 is divided by, so that two
    messages wake an empty fleet (by metric math it would never wake).

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-using-sqs-queue.html
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-instance-protection.html
    """

    every_s = MINUTE_S
    metric_delay_s: float | None = DELAY_S
    idle_s: float | None = None

    def __init__(
        self, name: str, *, protected: bool, in_flight: bool = False, target: float = 1.0
    ) -> None:
        self.name = name
        self.protected = protected
        self._in_flight = in_flight
        self._target = target
        self._per_instance = Series()
        self._instances = 0

    def decide(self, view: View) -> int | None:
        jobs = view.waiting + (view.running if self._in_flight else 0)
        # The jobs are a minute old, so that they were those of that minute's instances.
        instances = self._instances or max(view.in_service, 1)
        self._instances = max(view.in_service, 1)
        self._per_instance.put(jobs / instances)
        return tracked(self._per_instance, view, target=self._target, instances=instances)


def tracked(metric: Series, view: View, *, target: float, instances: int) -> int | None:
    """Return the capacity that a target-tracking policy sets now, None when it rests.

    `instances` are those that the metric's newest datapoint was divided by.
    """
    wanted = proportional(instances, metric.newest, target)
    if metric.holds(OUT_DATAPOINTS, lambda value: value > target):
        return wanted if wanted > view.desired else None
    if not view.booting and metric.holds(IN_DATAPOINTS, lambda value: value < IN_SHARE * target):
        return wanted if wanted < view.desired else None
    return None


def proportional(instances: int, value: float, target: float) -> int:
    """Return the fewest instances at which a metric that halves as they double meets its target."""
    return math.ceil(round(instances * value / target, 9))
