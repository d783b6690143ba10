"""Our rule: the metric function's own decision, each tick, and workers that leave by themselves."""

from __future__ import annotations

from lambdas.queue_depth_metric.market import ALL, on_demand_percent
from lambdas.queue_depth_metric.sizing import Capacity, Facts, Work, decide
from ops.simulate.fleet import Fleet
from ops.simulate.policy import View


class Exact:
    """The smallest capacity that starts every waiting job in time; it is never lowered."""

    name = "exact"
    metric_delay_s: float | None = None
    protected = True

    def __init__(self, fleet: Fleet) -> None:
        self._rules = fleet.rules
        self.every_s = fleet.tick_s
        self.idle_s: float | None = fleet.idle_s
        self._unsettled_s = 0.0
        self._on_demand = ALL - fleet.rules.spot_percent

    def decide(self, view: View) -> int | None:
        """Ask the real decision."""
        facts = Facts(
            Work(view.waiting, view.running, view.mean_job_s, overdue=self._is_overdue(view)),
            Capacity(view.desired, view.minimum, view.maximum),
            draining=view.draining,
            boots=view.boots,
        )
        return decide(facts, self._rules)

    def _is_overdue(self, view: View) -> bool:
        """Say whether a job waits past the objective, as long as all instances have been there."""
        if view.booting or view.in_service + view.draining < view.desired:
            self._unsettled_s = view.now_s
        waited_s = min(view.oldest_s or 0.0, view.now_s - self._unsettled_s)
        return waited_s > self._rules.start_within_s

    def spot_percent(self, view: View) -> int:
        """Ask the real rule for the market."""
        found = on_demand_percent(
            self._rules, spot_losses=view.spot_losses, current=self._on_demand
        )
        self._on_demand = self._on_demand if found is None else found
        return ALL - self._on_demand
