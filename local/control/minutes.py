"""Service metrics: published once a minute, in the minute's own name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from local.services.autoscaling.sources import ClientSource

PERIOD_S = 60
#: Metrics in one PutMetricData.
_BATCH = 500


class MinuteMetrics(ABC):
    """Publishes `read()` to CloudWatch at its first tick and then at each new minute."""

    namespace: str
    dimension: str

    def __init__(self, clients: ClientSource) -> None:
        self._clients = clients
        self._minute: int | None = None

    @abstractmethod
    def read(self) -> Iterable[tuple[str, dict[str, tuple[float, str]]]]:
        """Return per resource its name, and value and unit of each metric."""

    def tick(self, now: float) -> None:
        """Publish when a new minute has begun."""
        minute = int(now // PERIOD_S)
        if minute == self._minute:
            return
        self._minute = minute
        data = list(self._data(datetime.fromtimestamp(minute * PERIOD_S, UTC)))
        for start in range(0, len(data), _BATCH):
            self._clients.client("cloudwatch").put_metric_data(
                Namespace=self.namespace, MetricData=data[start : start + _BATCH]
            )

    def _data(self, moment: datetime) -> Iterator[dict[str, Any]]:
        for resource, metrics in self.read():
            for name, (value, unit) in metrics.items():
                yield {
                    "MetricName": name,
                    "Dimensions": [{"Name": self.dimension, "Value": resource}],
                    "Timestamp": moment,
                    "Value": value,
                    "Unit": unit,
                }
