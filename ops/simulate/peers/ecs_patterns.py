"""The CDK's QueueProcessingFargateService with its defaults."""

from __future__ import annotations

import math

from ops.simulate.peers.cloudwatch import DELAY_S, MINUTE_S, Series
from ops.simulate.peers.step_scaling import step
from ops.simulate.peers.target_tracking import tracked
from ops.simulate.policy import View

#: Visible messages from which on so many tasks are added; at 0 one is taken away.
STEPS = ((100, 1), (500, 5))
#: The alarms look at the greatest of five minutes, anew each minute.
PERIOD_MINUTES = 5
#: Application Auto Scaling's default for ECS: the construct sets none (docs.aws.amazon.com/
#: autoscaling/application/APIReference/API_StepScalingPolicyConfiguration.html).
COOLDOWN_S = 300.0
CPU_TARGET = 50.0


class EcsPatterns:
    """Steps on visible messages (0: -1, 100: +1, 500: +5) and target tracking of CPU at 50 %.

    The largest capacity asked for wins; each policy has its own cooldown, in which what a step has
    added is part of the next. Never below one task by default. A task at work is taken to use all
    of its CPU, an idle one none, and to stand for an instance; tasks taken away are killed. The
    largest capacity is the fleet's: the construct's default of 2 would not be a comparison.

    https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_ecs_patterns.QueueProcessingFargateService.html
    https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html
    """

    every_s = MINUTE_S
    metric_delay_s: float | None = DELAY_S
    protected = False
    idle_s: float | None = None

    def __init__(self, name: str, *, slots: int) -> None:
        self.name = name
        self._slots = slots
        self._visible = Series()
        self._cpu = Series()
        self._out_s = self._in_s = self._tracked_s = -math.inf
        self._added = 0
        self._tasks = 0

    def decide(self, view: View) -> int | None:
        lowest = max(1, view.minimum)
        if view.desired < lowest:
            return lowest
        self._visible.put(view.waiting)
        # The jobs are a minute old, so that they are the work of that minute's tasks.
        tasks = self._tasks or max(view.in_service, 1)
        self._tasks = max(view.in_service, 1)
        self._cpu.put(100 * min(1.0, view.running / (tasks * self._slots)))
        asked = [self._stepped(view), self._by_cpu(view, tasks)]
        wanted = max((each for each in asked if each is not None), default=view.desired)
        wanted = min(max(wanted, lowest), view.maximum)
        return wanted if wanted != view.desired else None

    def _stepped(self, view: View) -> int | None:
        most = max(self._visible.latest(PERIOD_MINUTES))
        if view.now_s - self._out_s >= COOLDOWN_S:
            self._added = 0
        more = step(STEPS, most) - self._added
        if more > 0:
            self._out_s, self._in_s = view.now_s, -math.inf
            self._added += more
            return view.desired + more
        if most <= 0 and view.now_s - self._in_s >= COOLDOWN_S:
            self._in_s = view.now_s
            return view.desired - 1
        return None

    def _by_cpu(self, view: View, tasks: int) -> int | None:
        wanted = tracked(self._cpu, view, target=CPU_TARGET, instances=tasks)
        if wanted is None or view.now_s - self._tracked_s < COOLDOWN_S:
            return None
        self._tracked_s = view.now_s
        return wanted
