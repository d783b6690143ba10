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
        self._on_demand = ALL - fleet.rules.spot_percent

    def decide(self, view: View) -> int | None:
        """Ask the real decision."""
        facts = Facts(
            Work(view.waiting, view.running, view.mean_job_s),
            Capacity(view.desired, view.minimum, view.maximum),
            draining=view.draining,
            boots=view.boots,
        )
        return decide(facts, self._rules)

    def spot_percent(self, view: View) -> int:
        """Ask the real rule for the market."""
        found = on_demand_percent(
            self._rules, spot_losses=view.spot_losses, current=self._on_demand
        )
        self._on_demand = self._on_demand if found is None else found
        return ALL - self._on_demand
