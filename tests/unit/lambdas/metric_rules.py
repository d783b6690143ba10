"""Rules and facts that the metric function's tests share."""

from __future__ import annotations

from typing import Any

from config.contracts.boot_records import BootRecord
from config.contracts.fleet_facts import FleetFact, WorkerFact, WorkerState
from config.contracts.fleet_rules import FleetRules
from lambdas.queue_depth_metric.breaker import BootEnd

RULES: dict[str, Any] = {
    "kind": "video",
    "group": "academy-video-worker-asg",
    "queues": ("academy-video-jobs",),
    "slots": 1,
    "start_within_s": 15,
    "job_s": 857,
    "boot_s": 150,
    "boot_limit_s": 600,
    "failed_boots": 3,
    "probe_every_s": 300,
    "spot_percent": 100,
    "spot_losses": 3,
    "on_demand_s": 3600,
    "boot_log_group": "video-workers",
    "breaker_alarm": "academy-video-worker-asg-breaker",
}


def rules(**changed: Any) -> FleetRules:
    """Return the video fleet's rules, some of them changed."""
    return FleetRules(**{**RULES, **changed})


def fact(waiting: int = 0, running: int = 0, **more: Any) -> FleetFact:
    """Return what the API knows of a fleet."""
    known: dict[str, Any] = {"oldest_s": None, "mean_job_s": None, "spot_losses": 0, **more}
    return FleetFact(waiting, running, **known)


def worker(
    instance_id: str, state: str = "idle", *, leases: int = 0, silent_s: float = 1.0
) -> WorkerFact:
    """Return what the API knows of a worker."""
    return WorkerFact(instance_id, WorkerState(state), leases, leases, silent_s)


def boot(at_s: float, *, failed: bool, instance_id: str = "i-1", step: str = "pull") -> BootEnd:
    """Return the end of a boot."""
    reason = "manifest unknown" if failed else ""
    return BootEnd(at_s, BootRecord(instance_id, failed, 12.0, step if failed else "", reason))
