"""The boot records of a fleet, read from its log group and remembered."""

from __future__ import annotations

import math
from typing import Any

from config.contracts.boot_records import EVENT, STREAM_PREFIX, decode_boot
from config.contracts.fields import Undecodable
from config.contracts.fleet_rules import FleetRules
from lambdas.queue_depth_metric.breaker import BootEnd, kept_s
from lambdas.queue_depth_metric.budget import Budget

#: A little less than a minute, so that ticks that come a little early read each minute too.
READ_EVERY_S = 55.0
#: Lines come into CloudWatch this much after their time at the latest.
LATE_S = 120.0
#: The streams hold the logs of failed boots too.
_PATTERN = f'{{ $.event = "{EVENT}" }}'


class BootLog:
    """Remembers what it has read for as long as it counts; what cannot be read adds nothing."""

    def __init__(self, logs: Any, rules: FleetRules) -> None:
        self._logs = logs
        self._rules = rules
        self._ends: dict[tuple[str, float], BootEnd] = {}
        self._since_s = -math.inf
        self._read_at = -math.inf

    def ends(self, now: float) -> list[BootEnd]:
        """Return the boots that count."""
        oldest = now - kept_s(self._rules)
        self._ends = {key: end for key, end in self._ends.items() if end.at_s >= oldest}
        return list(self._ends.values())

    def add(self, end: BootEnd) -> None:
        """Remember a boot that left no record."""
        self._ends[end.record.instance_id, end.at_s] = end

    def refresh(self, budget: Budget, now: float, *, hurry: bool) -> None:
        """Read what is new, about once a minute, or now in a `hurry`.

        What was read stays when a later page fails or has no time; the next reading goes on there.
        Raises: botocore's errors, OutOfTime.
        """
        if not hurry and now - self._read_at < READ_EVERY_S:
            return
        start_s = max(self._since_s, now - kept_s(self._rules))
        page: dict[str, Any] = {}
        while True:
            budget.take(before_raise=True)
            self._read_at = now
            found = self._logs.filter_log_events(
                logGroupName=self._rules.boot_log_group,
                logStreamNamePrefix=STREAM_PREFIX,
                filterPattern=_PATTERN,
                startTime=int(start_s * 1000),
                **page,
            )
            for event in found["events"]:
                self._take(event)
            if not found.get("nextToken"):
                self._since_s = max(start_s, now - LATE_S)
                return
            page = {"nextToken": found["nextToken"]}

    def _take(self, event: dict[str, Any]) -> None:
        """Events come oldest first, so that a reading cut short goes on from its last one."""
        at_s = event["timestamp"] / 1000
        self._since_s = max(self._since_s, at_s)
        try:
            self.add(BootEnd(at_s, decode_boot(event["message"])))
        except Undecodable:
            return
