"""What an alarm measures: one metric, or an expression over several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.control.evaluation import NotPlayedError, by_period
from local.control.metric_index import MetricIndex
from local.control.metric_math import Series, evaluate


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
    """Metric math over metrics by their ids, all of one period."""

    text: str
    metrics: Mapping[str, OneMetric]
    period_s: int

    def points(self, index: MetricIndex, count: int, now: float) -> Series:
        """Return the expression's last `count` points. Raises: NotPlayedError."""
        series = {name: each.points(index, count, now) for name, each in self.metrics.items()}
        return evaluate(self.text, series, count)


def plain_of(alarm: Any) -> OneMetric:
    """Return what an alarm on one metric measures; `alarm` is moto's."""
    return OneMetric(
        (alarm.namespace, alarm.metric_name, alarm.dimensions, alarm.unit),
        alarm.statistic or alarm.extended_statistic,
        int(alarm.period),
    )


def math_of(alarm: Any) -> Expression:
    """Return what an alarm with metric queries measures.

    Raises: NotPlayedError for several expressions, or metrics of different periods.
    """
    texts = [query.expression for query in alarm.metric_data_queries if query.expression]
    metrics = {
        query.id: _stat(query.metric_stat)
        for query in alarm.metric_data_queries
        if query.metric_stat
    }
    periods = {each.period_s for each in metrics.values()}
    if len(texts) != 1 or len(periods) != 1:
        raise NotPlayedError(
            f"{len(texts)} expressions over periods {sorted(periods)}: one of each"
        )
    return Expression(texts[0], metrics, periods.pop())


def _stat(stat: Any) -> OneMetric:
    metric = stat.metric
    return OneMetric(
        (metric.namespace, metric.metric_name, metric.dimensions, stat.unit),
        stat.stat,
        int(stat.period),
    )
