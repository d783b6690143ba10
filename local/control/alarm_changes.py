"""States of alarms that somebody set by SetAlarmState, read from moto's records of each alarm."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from local.control.alarm_actions import Change


class _Told(NamedTuple):
    state: str
    reason: str
    data: str | None


class OutsideChanges:
    """Hands out each change of a state once.

    An alarm's history holds what was before each update; what came after it is the next entry's, or
    the alarm's own.
    """

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def of(self, alarm: Any, now: float) -> Iterator[Change]:
        """Return the changes since the last call or `forget`, in their order."""
        history = list(alarm.history)
        seen = min(self._seen.get(alarm.name, 0), len(history))
        self._seen[alarm.name] = len(history)
        told = [_Told(state, reason, data) for _, reason, data, state, _ in history[seen:]]
        told.append(_Told(alarm.state_value, alarm.state_reason, alarm.state_reason_data))
        for before, after in pairwise(told):
            if before.state != after.state:
                value = _latest(after.data)
                yield Change(before.state, after.state, value, after.reason, now)

    def forget(self, alarm: Any) -> None:
        """Pass over the changes so far: they were our own."""
        self._seen[alarm.name] = len(alarm.history)


def _latest(data: str | None) -> float | None:
    """Return the data point that a scaling policy is executed with, if the setter gave one.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html
    """
    found = json.loads(data or "{}")
    points = found.get("recentDatapoints") if isinstance(found, dict) else None
    return float(points[-1]) if points else None
