"""CloudWatch's data points by metric, and how long the store that they come from keeps them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import MetricDatum

from local.control.evaluation import Sample

#: Seconds that moto's store keeps a point: what AWS keeps points below a minute for.
#: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
STORED_S = 3 * 3600
#: Seconds that alarms can look back: their longest window.
_KEPT_S = 86_400

_Key = tuple[str, str, frozenset[tuple[str, str]]]


class MetricIndex:
    """moto's data points by exact metric, read once each; a day's worth is kept."""

    def __init__(self) -> None:
        self._samples: dict[_Key, list[Sample]] = defaultdict(list)
        self._read = 0

    def update(self, data: list[Any], now: float) -> None:
        """Read the points added to moto's list since the last call."""
        if len(data) < self._read:
            self._samples.clear()
            self._read = 0
        for datum in data[self._read :]:
            key = (datum.namespace, datum.name, _dimensions(datum.dimensions))
            self._samples[key].append(_sample(datum))
        self._read = len(data)
        for key, samples in self._samples.items():
            if samples and samples[0].at < now - _KEPT_S:
                self._samples[key] = [s for s in samples if s.at >= now - _KEPT_S]

    def trim(self, data: list[Any], now: float) -> None:
        """Drop what was read from the head of moto's list once it is older than STORED_S.

        moto drops nothing itself. One deletion of a head, so that a point appended meanwhile by
        another thread is not lost; a point that came late waits for those before it.
        """
        old = 0
        while old < self._read and _at(data[old]) < now - STORED_S:
            old += 1
        del data[:old]
        self._read -= old

    def of(
        self, namespace: str, name: str, dimensions: Iterable[Any], unit: str | None
    ) -> list[Sample]:
        """Return the points of a metric: same dimensions exactly, same unit if given."""
        samples = self._samples.get((namespace, name, _dimensions(dimensions)), [])
        return [s for s in samples if s.unit == unit] if unit else samples


def _dimensions(dimensions: Iterable[Any]) -> frozenset[tuple[str, str]]:
    return frozenset((d.name, d.value) for d in dimensions)


def _at(datum: Any) -> float:
    at: datetime = datum.timestamp
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _sample(datum: Any) -> Sample:
    seconds = _at(datum)
    if isinstance(datum, MetricDatum):
        value = float(datum.value)
        return Sample(seconds, 1, value, value, value, datum.unit)
    return Sample(seconds, datum.sample_count, datum.sum, datum.min, datum.max, datum.unit)
