"""CloudWatch alarms: evaluated on moto's metric store, their actions carried out."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

from local.control.alarm_actions import AlarmActions, Change
from local.control.alarm_changes import OutsideChanges
from local.control.alarm_rules import InvalidRuleError, holds
from local.control.evaluation import (
    ALARM,
    EXTRA_PERIODS,
    INSUFFICIENT,
    OK,
    NotPlayedError,
    Threshold,
    judge,
)
from local.control.measured import math_of, plain_of
from local.control.metric_index import MetricIndex
from local.services.autoscaling.sources import ClientSource

_log = logging.getLogger(__name__)

#: Seconds between two evaluations: of alarms over less than a minute, and of all others.
#: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
FINE_S, EVERY_S = 10, 60


class Alarms:
    """Evaluates every alarm when a period of its may have ended, and acts on the state it enters.

    A state that SetAlarmState gives acts as well, and holds until the next evaluation. A scaling
    policy's action is repeated each minute while the state lasts. Not played, and so
    INSUFFICIENT_DATA with the reason: anomaly bands, the rarer functions of metric math.
    Metrics are here at once, so that an alarm changes in the first second after a period; on AWS
    they come later, those of SQS by minutes when a queue was idle for hours.
    """

    def __init__(self, clients: ClientSource, *, account: str, region: str) -> None:
        self._actions = AlarmActions(clients)
        self._account, self._region = account, region
        self._index = MetricIndex()
        self._outside = OutsideChanges()
        self._evaluated_in: dict[str, int] = {}
        self._acted_in: dict[str, int] = {}

    def tick(self, now: float) -> None:
        """Act on what was set from outside, and evaluate what is due, metric alarms first."""
        backend = cloudwatch_backends[self._account][self._region]
        alarms = sorted(backend.alarms.values(), key=lambda alarm: alarm.rule is not None)
        for alarm in alarms:
            for change in self._outside.of(alarm, now):
                self._act(alarm, change, repeated=False)
        due = [alarm for alarm in alarms if self._is_due(alarm, now)]
        if due:
            self._index.update(backend.metric_data, now)
            self._index.trim(backend.metric_data, now)
        for alarm in due:
            try:
                self._evaluate(backend, alarm, now)
            except Exception:
                _log.exception("alarm %s", alarm.name)

    def _is_due(self, alarm: Any, now: float) -> bool:
        """Say whether a minute, or ten seconds, began since the alarm was evaluated."""
        fine = alarm.rule is not None or _period_s(alarm) < EVERY_S
        part = int(now // (FINE_S if fine else EVERY_S))
        if self._evaluated_in.get(alarm.name) == part:
            return False
        self._evaluated_in[alarm.name] = part
        return True

    def _evaluate(self, backend: Any, alarm: Any, now: float) -> None:
        value: float | None = None
        data: dict[str, Any] = {}
        try:
            if alarm.rule is not None:
                state = ALARM if holds(alarm.rule, _state_of(backend)) else OK
                reason = f"{alarm.rule} is {state == ALARM}"
            else:
                state, value, reason, data = self._measure(alarm, now)
        except (NotPlayedError, InvalidRuleError) as error:
            state, reason = INSUFFICIENT, f"Not evaluated by the embedded AWS: {error}"
            if alarm.state_reason != reason:
                _log.error("alarm %s: %s", alarm.name, reason)
                backend.set_alarm_state(alarm.name, reason, "{}", alarm.state_value)
                self._outside.forget(alarm)
        self._settle(backend, alarm, Change(alarm.state_value, state, value, reason, now), data)

    def _settle(self, backend: Any, alarm: Any, change: Change, data: dict[str, Any]) -> None:
        entered = change.after != change.before
        if entered:
            backend.set_alarm_state(alarm.name, change.reason, json.dumps(data), change.after)
            self._outside.forget(alarm)
        if entered or self._acted_in.get(alarm.name) != int(change.now // EVERY_S):
            self._act(alarm, change, repeated=not entered)

    def _measure(self, alarm: Any, now: float) -> tuple[str, float | None, str, dict[str, Any]]:
        threshold = _threshold(alarm)
        measured = math_of(alarm) if alarm.metric_data_queries else plain_of(alarm)
        points = measured.points(self._index, threshold.periods + EXTRA_PERIODS, now)
        state = judge(points, threshold, alarm.state_value)
        real = [point for point in points if point is not None]
        latest = real[-1] if real else None
        shown = real[-threshold.periods :]
        reason = (
            f"Threshold Crossed: {len(shown)} of {threshold.periods} data points are there "
            f"({shown}) against {threshold.comparison} {threshold.value}; missing data is "
            f"{threshold.missing}"
        )
        data = {
            "version": "1.0",
            "queryDate": datetime.fromtimestamp(now, UTC).isoformat(),
            "period": measured.period_s,
            "recentDatapoints": shown,
            "threshold": threshold.value,
        }
        return state, latest, reason, data

    def _act(self, alarm: Any, change: Change, *, repeated: bool) -> None:
        self._acted_in[alarm.name] = int(change.now // EVERY_S)
        arns: Iterable[str] = {
            ALARM: alarm.alarm_actions,
            OK: alarm.ok_actions,
            INSUFFICIENT: alarm.insufficient_data_actions,
        }[change.after]
        if alarm.actions_enabled:
            for arn in arns or []:
                self._actions.carry_out(alarm, arn, change, repeated=repeated)


def _period_s(alarm: Any) -> int:
    """Return an alarm's period; a minute where it has none of its own."""
    stats = [query.metric_stat for query in alarm.metric_data_queries or () if query.metric_stat]
    periods = [int(stat.period) for stat in stats] or [int(alarm.period or EVERY_S)]
    return min(periods)


def _threshold(alarm: Any) -> Threshold:
    periods = int(alarm.evaluation_periods)
    return Threshold(
        comparison=alarm.comparison_operator,
        value=float(alarm.threshold),
        periods=periods,
        needed=int(alarm.datapoints_to_alarm or periods),
        missing=alarm.treat_missing_data or "missing",
    )


def _state_of(backend: Any) -> Any:
    def state_of(name: str) -> str:
        if name not in backend.alarms:
            raise InvalidRuleError(f"there is no alarm {name!r}")
        return str(backend.alarms[name].state_value)

    return state_of
