"""The metrics of one look at a fleet, under the dimensions that queries and alarms use."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from config.contracts import metrics as names
from config.contracts.fleet_rules import FleetRules
from lambdas.queue_depth_metric.backlog import Measured

log = logging.getLogger(__name__)


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


def publish(cloudwatch: Any, environment: str, fleet: FleetRules, measured: Measured) -> None:
    """Send what is known. Raises: botocore's errors."""
    for namespace, metric_data in data(environment, fleet, measured).items():
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=metric_data)
        if namespace == names.VIDEO_NAMESPACE:
            log.info(names.PUBLISHED_LINE.format(backlog=measured.backlog))


def _datum(name: str, dimensions: Mapping[str, str], value: int) -> dict[str, Any]:
    """Return one datum of 1 s resolution: several looks fall into one minute."""
    return {
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": text} for key, text in dimensions.items()],
        "Value": float(value),
        "Unit": "Count",
        "StorageResolution": 1,
    }
