"""CloudWatch's embedded metric format: which metrics a log event carries. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

#: Limits of the specification; a value's is PutMetricData's.
_NAME, _METRICS, _DIMENSIONS, _VALUES = 1024, 100, 30, 100
_LARGEST_VALUE = 2.0**360
#: A metric's time: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
_OLDEST_S, _NEWEST_S = 14 * 86_400, 2 * 3600
_RESOLUTIONS = (1, 60)
_SIZES = ("B", "Kilob", "Megab", "Gigab", "Terab")
_AMOUNTS = ["Count", *(size + rest for size in _SIZES for rest in ("ytes", "its"))]
_TIMES = ["Microseconds", "Milliseconds", "Seconds"]
UNITS = frozenset([*_TIMES, "Percent", "None", *_AMOUNTS, *(f"{one}/Second" for one in _AMOUNTS)])


class MalformedError(ValueError):
    """An event that means to carry metrics and breaks the format; says where."""


def metrics_in(message: str, now: float) -> list[tuple[str, dict[str, Any]]]:
    """Return each metric's namespace and its entry of PutMetricData; none of any other event.

    A value is stored under its second, or its minute where the resolution is 60.
    Raises: MalformedError, and then the event carries no metric at all.
    """
    root = _root(message)
    if root is None:
        return []
    metadata = root["_aws"]
    directives = metadata["CloudWatchMetrics"]
    if not isinstance(directives, list):
        raise MalformedError("CloudWatchMetrics is no list")
    at = _time(metadata.get("Timestamp"), now)
    return [found for each in directives for found in _directive(root, each, at)]


def _root(message: str) -> dict[str, Any] | None:
    """Return the event's object when it has the format's metadata."""
    if '"CloudWatchMetrics"' not in message:
        return None
    try:
        root = json.loads(message)
    except ValueError:
        return None
    metadata = root.get("_aws") if isinstance(root, dict) else None
    return root if isinstance(metadata, dict) and "CloudWatchMetrics" in metadata else None


def _time(given: Any, now: float) -> float:
    """Return the epoch seconds of `Timestamp`, which is in milliseconds."""
    if not _is_number(given) or not now - _OLDEST_S <= given / 1000 <= now + _NEWEST_S:
        raise MalformedError(
            f"Timestamp is {given!r}; allowed: milliseconds within the last two weeks"
        )
    return float(given / 1000)


def _directive(
    root: Mapping[str, Any], directive: Any, at: float
) -> Iterator[tuple[str, dict[str, Any]]]:
    if not isinstance(directive, dict):
        raise MalformedError("a directive is no object")
    namespace = _name(directive.get("Namespace"), "Namespace")
    if namespace.startswith("AWS/"):
        raise MalformedError(f"Namespace {namespace!r} belongs to AWS")
    metrics = _list(directive.get("Metrics"), "Metrics", _METRICS)
    sets = _list(directive.get("Dimensions"), "Dimensions", None)
    # Without any set a metric has no dimensions, as with one that is empty.
    dimensions = [_dimensions(root, each) for each in sets or [[]]]
    for metric in metrics:
        entry = _metric(root, metric, at)
        if entry["Values"]:
            yield from ((namespace, {**entry, "Dimensions": each}) for each in dimensions)


def _dimensions(root: Mapping[str, Any], names: Any) -> list[dict[str, str]]:
    found = []
    for each in _list(names, "a dimension set", _DIMENSIONS):
        name = _name(each, "a dimension's name")
        found.append({"Name": name, "Value": _name(root.get(name), f"dimension {name}")})
    return found


def _metric(root: Mapping[str, Any], definition: Any, at: float) -> dict[str, Any]:
    if not isinstance(definition, dict):
        raise MalformedError("a metric's definition is no object")
    name = _name(definition.get("Name"), "a metric's name")
    unit = definition.get("Unit", "None")
    if unit not in UNITS:
        raise MalformedError(f"Unit of {name} is {unit!r}")
    resolution = definition.get("StorageResolution", 60)
    if resolution not in _RESOLUTIONS:
        raise MalformedError(f"StorageResolution of {name} is {resolution!r}; allowed: 1, 60")
    moment = datetime.fromtimestamp(at // resolution * resolution, UTC)
    values = root.get(name)
    values = _list(values if isinstance(values, list) else [values], name, _VALUES)
    for value in values:
        if not _is_number(value) or not abs(value) <= _LARGEST_VALUE:
            raise MalformedError(f"{name} is {value!r}; allowed: a number, or up to 100 of them")
    return {"MetricName": name, "Unit": unit, "Timestamp": moment, "Values": values}


def _name(value: Any, what: str) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= _NAME:
        raise MalformedError(f"{what} is {value!r}; allowed: 1 to {_NAME} characters")
    return value


def _list(value: Any, what: str, longest: int | None) -> list[Any]:
    if not isinstance(value, list) or (longest is not None and len(value) > longest):
        raise MalformedError(f"{what} must be a list, of at most {longest} where there is a limit")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
