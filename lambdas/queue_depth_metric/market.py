"""Spot or on demand. Pure: from announced losses and the rules follows what a group should buy."""

from __future__ import annotations

from config.contracts.fleet_rules import FleetRules

ALL = 100


def on_demand_percent(
    rules: FleetRules, *, spot_losses: int | None, current: int | None
) -> int | None:
    """Return the share of on-demand instances to set, None to leave it.

    `spot_losses` lie within the rules' `on_demand_s`, None when nobody knows. `current` is the
    group's share above its base, None for a group that mixes nothing. A deploy sets the share of
    the template; the next look corrects it.
    """
    if spot_losses is None or current is None or rules.spot_percent == 0:
        return None
    taken_back = rules.spot_losses > 0 and spot_losses >= rules.spot_losses
    wanted = ALL if taken_back else ALL - rules.spot_percent
    return None if wanted == current else wanted
