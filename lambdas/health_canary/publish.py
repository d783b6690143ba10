"""An answer as metrics."""

from __future__ import annotations

from typing import Any

from config.contracts import health


def data(environment: str, answer: health.Answer) -> list[dict[str, Any]]:
    """Return Up, Latency when something answered, and each dependency when one failed.

    Up says that all of them are; a metric is paid for by the hour in which it is sent.
    """
    found = [_datum(environment, health.UP, float(answer["up"]), "Count")]
    if answer["status"] is not None:
        found.append(_datum(environment, health.LATENCY, answer["latency_ms"], "Milliseconds"))
    if answer["failed"]:
        found += [
            _datum(
                environment,
                health.DEPENDENCY_UP,
                float(name not in answer["failed"]),
                "Count",
                Dependency=name,
            )
            for name in health.DEPENDENCIES
        ]
    return found


def _datum(
    environment: str, name: str, value: float, unit: str, **dimensions: str
) -> dict[str, Any]:
    named = {"Environment": environment, **dimensions}
    return {
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": text} for key, text in named.items()],
        "Value": value,
        "Unit": unit,
    }
