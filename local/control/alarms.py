"""CloudWatch alarms: evaluated on moto's metric store, their actions carried out."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

from local.control.alarm_actions import AlarmActions, Change
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

#: Seconds between two evaluations.
EVERY_S = 10.0
#: Seconds after which a lasting state executes its scaling policies again.
REPEAT_S = 60.0


class Alarms:
    """Evaluates every alarm each EVERY_S and carries out the actions of the state it enters.

    A scaling policy's action is repeated each minute while the state lasts. Not played, and so
    INSUFFICIENT_DATA with the reason: anomaly bands, the rarer functions of metric math.
    """

    def __init__(self, clients: ClientSource, *, account: str, region: str) -> None:
        self._actions = AlarmActions(clients)
        self._account, self._region = account, region
        self._index = MetricIndex()
        self._evaluated_at: float | None = None
        self._acted_at: dict[str, float] = {}

    def tick(self, now: float) -> None:
        """Evaluate all alarms when it is time, metric alarms first."""
        if self._evaluated_at is not None and 0 <= now - self._evaluated_at < EVERY_S:
            return
        self._evaluated_at = now
        backend = cloudwatch_backends[self._account][self._region]
        self._index.update(backend.metric_data, now)
        self._index.trim(backend.metric_data, now)
        alarms = sorted(backend.alarms.values(), key=lambda alarm: alarm.rule is not None)
        for alarm in alarms:
            try:
                self._evaluate(backend, alarm, now)
            except Exception:
                _log.exception("alarm %s", alarm.name)

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
        self._settle(backend, alarm, Change(alarm.state_value, state, value, reason, now), data)

    def _settle(self, backend: Any, alarm: Any, change: Change, data: dict[str, Any]) -> None:
        acted_at = self._acted_at.get(alarm.name, change.now)
        entered = change.after != change.before
        if entered:
            backend.set_alarm_state(alarm.name, change.reason, json.dumps(data), change.after)
        if entered or change.now - acted_at >= REPEAT_S:
            self._act(alarm, change, repeated=not entered)
            acted_at = change.now
        self._acted_at[alarm.name] = acted_at

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
        arns: Iterable[str] = {
            ALARM: alarm.alarm_actions,
            OK: alarm.ok_actions,
            INSUFFICIENT: alarm.insufficient_data_actions,
        }[change.after]
        if alarm.actions_enabled:
            for arn in arns or []:
                self._actions.carry_out(alarm, arn, change, repeated=repeated)


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
