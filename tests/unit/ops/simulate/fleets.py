"""A fleet of video workers for tests: prod's numbers, made small where a test wants it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from config.contracts.fleet_rules import FleetRules
from ops.simulate.fleet import Fleet, Tariff

RULES = FleetRules(
    kind="video",
    group="academy-video",
    queues=("academy-video-jobs",),
    slots=1,
    start_within_s=60,
    job_s=857,
    boot_s=150,
    boot_limit_s=600,
    failed_boots=3,
    probe_every_s=600,
    spot_percent=0,
    spot_losses=3,
    on_demand_s=1800,
    boot_log_group="boot",
    breaker_alarm="breaker",
)


def fleet(*, rules: dict[str, Any] | None = None, **changed: Any) -> Fleet:
    """Return a fleet that differs from the usual one in its rules or otherwise."""
    usual = Fleet(
        rules=replace(RULES, **(rules or {})),
        minimum=0,
        maximum=100,
        on_demand_base=0,
        idle_s=60,
        tick_s=10,
        checkpoint_s=0,
        visibility_s=600,
        max_receives=3,
        warm_pool=None,
        backstop=None,
        tariff=Tariff(on_demand_usd=0.2, spot_usd=0.08, stopped_usd=0.01),
    )
    return replace(usual, **changed)
