"""The metrics of one look at a fleet, under the dimensions that queries and alarms use.

What alarms on silence look at goes out by PutMetricData, always. The rest is paid for by the hour
in which it is sent, and goes out as log lines while the fleet has jobs or instances.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from config.contracts import metrics as names
from config.contracts.fleet_rules import FleetRules
from lambdas.queue_depth_metric.backlog import Measured
from lambdas.queue_depth_metric.budget import Budget
from lambdas.queue_depth_metric.sizing import Work

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Seen:
    """What one look saw of a fleet; None is unknown. `states` by instance, `tick_age_s` seconds."""

    work: Work | None
    oldest_s: float | None
    tick_age_s: float | None
    breaker_open: bool
    states: Mapping[str, str] | None


def data(
    environment: str, fleet: FleetRules, measured: Measured
) -> dict[str, list[dict[str, Any]]]:
    """Return metric data by namespace; nothing for what is unknown."""
    found: dict[str, list[dict[str, Any]]] = {}
    if measured.backlog is not None and fleet.kind == "video":
        found[names.VIDEO_NAMESPACE] = [
            _datum(names.BACKLOG_COUNT, dimensions, measured.backlog)
            for dimensions in names.backlog_dimension_sets(environment)
        ]
    if measured.depth is not None:
        dimensions = names.worker_dimensions(environment, fleet.kind)
        found[names.WORKERS_NAMESPACE] = [_datum(names.QUEUE_DEPTH, dimensions, measured.depth)]
    return found


def publish(
    cloudwatch: Any, environment: str, fleet: FleetRules, measured: Measured, budget: Budget
) -> None:
    """Send what is known. Raises: botocore's errors, OutOfTime."""
    for namespace, metric_data in data(environment, fleet, measured).items():
        budget.take()
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=metric_data)
        if namespace == names.VIDEO_NAMESPACE:
            log.info(names.PUBLISHED_LINE.format(backlog=measured.backlog))


class FleetLines:
    """Writes a fleet's own numbers, one line a look, and one more for each state of instances.

    An embedded metric has one value for each dimension, so that five states cannot share a line. A
    state is told while there are such instances, and once more when the last one has gone.
    """

    def __init__(self, write: Callable[[str], object], environment: str, kind: str) -> None:
        self._write = write
        self._dimensions = names.worker_dimensions(environment, kind)
        self._told: set[str] = set()

    def tell(self, seen: Seen, now: float) -> None:
        """Write what is known; a line goes out in one call, so that those of threads never mix."""
        for line in self._lines(seen, round(now * 1000)):
            self._write(json.dumps(line) + "\n")

    def _lines(self, seen: Seen, at_ms: int) -> Iterator[dict[str, Any]]:
        yield self._line(at_ms, _numbers(seen), {})
        counts = Counter((seen.states or {}).values())
        if seen.states is not None:
            for state in sorted(self._told | counts.keys()):
                count = {names.CAPACITY: (float(counts[state]), "Count")}
                yield self._line(at_ms, count, {"State": state})
            self._told = set(counts)

    def _line(
        self, at_ms: int, values: Mapping[str, tuple[float, str]], more: Mapping[str, str]
    ) -> dict[str, Any]:
        dimensions = {**self._dimensions, **more}
        directive = {
            "Namespace": names.WORKERS_NAMESPACE,
            "Dimensions": [[*dimensions]],
            "Metrics": [{"Name": name, "Unit": unit} for name, (_, unit) in values.items()],
        }
        return {
            "_aws": {"Timestamp": at_ms, "CloudWatchMetrics": [directive]},
            **dimensions,
            **{name: round(value, 3) for name, (value, _) in values.items()},
        }


def _numbers(seen: Seen) -> dict[str, tuple[float, str]]:
    """Return the numbers that are known, with their units."""
    found: dict[str, tuple[float | None, str]] = {
        names.WAITING: (seen.work.waiting if seen.work else None, "Count"),
        names.RUNNING: (seen.work.running if seen.work else None, "Count"),
        names.OLDEST_JOB_S: (seen.oldest_s, "Seconds"),
        names.TICK_AGE_S: (seen.tick_age_s, "Seconds"),
        names.BREAKER_OPEN: (float(seen.breaker_open), "Count"),
    }
    return {name: (value, unit) for name, (value, unit) in found.items() if value is not None}


def _datum(name: str, dimensions: Mapping[str, str], value: int) -> dict[str, Any]:
    """Return one datum of 1 s resolution: several looks fall into one minute."""
    return {
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": text} for key, text in dimensions.items()],
        "Value": float(value),
        "Unit": "Count",
        "StorageResolution": 1,
    }
