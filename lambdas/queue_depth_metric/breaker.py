"""What the latest boots say. Pure: the same records at the same time give the same finding."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from config.contracts.boot_records import BootRecord
from config.contracts.fleet_rules import FleetRules
from lambdas.queue_depth_metric.sizing import Boots

#: What is said of an instance that ended without a word.
SILENT_STEP, SILENT_REASON = "silent", "neither a boot record nor a sign of life"


@dataclass(frozen=True)
class BootEnd:
    """A boot that ended at `at_s`, epoch seconds."""

    at_s: float
    record: BootRecord


def boots(ends: Iterable[BootEnd], *, under_way: int, now: float) -> Boots:
    """Return failures since the last boot that worked, and how long the latest lies back.

    Boots that ended at the same moment count in favour of the fleet: the one that worked is last.
    """
    ordered = _ordered(ends)
    failed = 0
    for end in reversed(ordered):
        if not end.record.failed:
            break
        failed += 1
    since_s = max(0.0, now - ordered[-1].at_s) if ordered else math.inf
    return Boots(failed_in_a_row=failed, since_last_s=since_s, under_way=under_way)


def kept_s(rules: FleetRules) -> float:
    """Return how long a record counts: an open breaker's probes keep the row of failures alive.

    Twice the time in which probes alone make a row, and an hour for boots that are slow to end.
    """
    return 3600.0 + 2.0 * rules.failed_boots * (rules.probe_every_s + rules.boot_limit_s)


def reason(ends: Iterable[BootEnd], limit: int = 900) -> str:
    """Return step and reason of the latest failed boot, cut to `limit` characters; "" for none."""
    failed = [end.record for end in _ordered(ends) if end.record.failed]
    if not failed:
        return ""
    last = failed[-1]
    return f"{last.instance_id} failed to boot at {last.step or 'an unknown step'}: {last.reason}"[
        :limit
    ]


def silent_end(instance_id: str, now: float, boot_limit_s: int) -> BootEnd:
    """Return the record that an instance which was ended without a word should have written."""
    return BootEnd(
        now, BootRecord(instance_id, True, float(boot_limit_s), SILENT_STEP, SILENT_REASON)
    )


def _ordered(ends: Iterable[BootEnd]) -> list[BootEnd]:
    return sorted(ends, key=lambda end: (end.at_s, not end.record.failed, end.record.instance_id))
