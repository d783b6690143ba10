"""Buildkite's agent scaler as its Elastic CI Stack runs it."""

from __future__ import annotations

import math

from ops.simulate.policy import View


class Buildkite:
    """One agent for each scheduled or running job; idle instances end themselves.

    Polled every 10 s: desired = ceil((scheduled + running) / agents per instance); what that is
    above the group's is multiplied by the scale-out factor, rounded up, and added. Scale-in is
    disabled by default: an instance whose agents were idle for the period terminates itself and
    lowers the desired capacity, so that no busy one ends. Defaults: factor 1, no buffer, and 600 s
    of idleness.

    https://github.com/buildkite/buildkite-agent-scaler (README.md, template.yaml,
    scaler/scaling_calculator.go) and the parameters of
    https://github.com/buildkite/elastic-ci-stack-for-aws
    """

    every_s = 10.0
    metric_delay_s: float | None = None
    protected = True

    def __init__(
        self,
        name: str,
        *,
        agents_per_instance: int,
        scale_out_factor: float = 1.0,
        idle_s: float = 600.0,
    ) -> None:
        self.name = name
        self.idle_s: float | None = idle_s
        self._agents = agents_per_instance
        self._factor = scale_out_factor

    def decide(self, view: View) -> int | None:
        needed = math.ceil((view.waiting + view.running) / self._agents)
        change = min(needed, view.maximum) - view.desired
        if change <= 0:
            return None
        return min(view.desired + math.ceil(change * self._factor), view.maximum)
