"""What an alarm measures: one metric, or an expression over several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.control.evaluation import NotPlayedError, by_period
from local.control.metric_index import MetricIndex
from local.control.metric_math import Series, evaluate, ids_in


@dataclass(frozen=True)
class OneMetric:
    """A metric's statistic over periods; `metric` has namespace, name, dimensions and unit."""

    metric: tuple[str, str, list[Any], str | None]
    statistic: str
    period_s: int

    def points(self, index: MetricIndex, count: int, now: float) -> Series:
        """Return the last `count` points, oldest first, None where there is no data."""
        return by_period(index.of(*self.metric), self.statistic, self.period_s, count, now)


@dataclass(frozen=True)
class Expression:
    """Metric math over metrics by their ids, all of one period.

    `texts` are the expressions by their ids, which may name each other; `wanted` is the alarm's.
    """

    texts: Mapping[str, str]
    wanted: str
    metrics: Mapping[str, OneMetric]
    period_s: int

    def points(self, index: MetricIndex, count: int, now: float) -> Series:
        """Return the expression's last `count` points. Raises: NotPlayedError."""
        series = {name: each.points(index, count, now) for name, each in self.metrics.items()}
        waiting = dict(self.texts)
        while waiting:
            ready = [name for name in waiting if not ids_in(waiting[name]) & waiting.keys()]
            if not ready:
                raise NotPlayedError(f"expressions {sorted(waiting)} name each other in a circle")
            for name in ready:
                series[name] = evaluate(waiting.pop(name), series, count)
        return series[self.wanted]


def plain_of(alarm: Any) -> OneMetric:
    """Return what an alarm on one metric measures; `alarm` is moto's."""
    return OneMetric(
        (alarm.namespace, alarm.metric_name, alarm.dimensions, alarm.unit),
        alarm.statistic or alarm.extended_statistic,
        int(alarm.period),
    )


def math_of(alarm: Any) -> Expression:
    """Return what an alarm with metric queries measures.

    Raises: NotPlayedError for metrics of different periods, or none or several to be returned.
    """
    queries = alarm.metric_data_queries
    texts = {query.id: query.expression for query in queries if query.expression}
    metrics = {query.id: _stat(query.metric_stat) for query in queries if query.metric_stat}
    wanted = [name for name in texts if _is_returned(name, queries)]
    periods = {each.period_s for each in metrics.values()}
    if len(wanted) != 1 or len(periods) != 1:
        raise NotPlayedError(
            f"{len(wanted)} expressions over periods {sorted(periods)}: one of each"
        )
    return Expression(texts, wanted[0], metrics, periods.pop())


def _is_returned(name: str, queries: Any) -> bool:
    [query] = [each for each in queries if each.id == name]
    return str(query.return_data).lower() != "false"


def _stat(stat: Any) -> OneMetric:
    metric = stat.metric
    return OneMetric(
        (metric.namespace, metric.metric_name, metric.dimensions, stat.unit),
        stat.stat,
        int(stat.period),
    )
