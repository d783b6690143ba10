"""What the metric function is told of each fleet: its FLEETS variable, a JSON list of these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from config.contracts.fields import Undecodable


@dataclass(frozen=True)
class FleetRules:
    """A fleet and how it is sized. Times in seconds; limits of size are the group's own.

    `slots` jobs run at once in a worker. A waiting job starts within `start_within_s` of a worker
    being there; `job_s` is how long a job takes, until the latest ones have been measured. A worker
    polls `boot_s` after its launch, and one that does not after `boot_limit_s` never will.
    `failed_boots` in a row open the breaker, which then tries one boot each `probe_every_s`.
    Of the instances `spot_percent` per cent are Spot; after `spot_losses` of them within
    `on_demand_s` all are on demand until fewer lie within that time. `boot_log_group` holds the
    boot records, and `breaker_alarm` is the alarm that tells of an open breaker.
    """

    kind: str
    group: str
    queues: tuple[str, ...]
    slots: int
    start_within_s: int
    job_s: int
    boot_s: int
    boot_limit_s: int
    failed_boots: int
    probe_every_s: int
    spot_percent: int
    spot_losses: int
    on_demand_s: int
    boot_log_group: str
    breaker_alarm: str


#: Numbers that must be above 0; the others may be 0.
_POSITIVE = frozenset(
    ("slots", "job_s", "boot_s", "boot_limit_s", "failed_boots", "probe_every_s", "on_demand_s")
)


def encode_rules(rules: FleetRules) -> dict[str, Any]:
    """Return one entry of FLEETS."""
    return {**asdict(rules), "queues": list(rules.queues)}


def decode_rules(entry: object) -> FleetRules:
    """Return an entry's rules; unknown keys are ignored. Raises: Undecodable naming the key."""
    if not isinstance(entry, Mapping):
        raise Undecodable(f"a fleet must be an object, got {entry!r}")
    queues = entry.get("queues")
    if not isinstance(queues, list) or not queues or not all(_is_name(each) for each in queues):
        raise Undecodable(f"queues must be queue names, got {queues!r}")
    values: dict[str, Any] = {"queues": tuple(queues)}
    for field in fields(FleetRules):
        if field.name != "queues":
            values[field.name] = _value(field.name, field.type, entry.get(field.name))
    return FleetRules(**values)


def _value(name: str, kind: object, value: object) -> object:
    if kind == "str":
        if not _is_name(value):
            raise Undecodable(f"{name} must be a name, got {value!r}")
        return value
    lowest = 1 if name in _POSITIVE else 0
    if not isinstance(value, int) or isinstance(value, bool) or value < lowest:
        raise Undecodable(f"{name} must be a whole number, at least {lowest}, got {value!r}")
    return value


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value)
