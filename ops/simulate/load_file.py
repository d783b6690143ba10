"""A load read from a CSV file: `arrival_s,duration_s`, as `academy trace` writes it."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path

from ops.errors import UsageError
from ops.simulate.load import Load, loaded

HEADER = ["arrival_s", "duration_s"]


def read_load(path: Path) -> Load:
    """Return a file's jobs. Raises: UsageError that names the file and the line."""
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            load = loaded(_jobs(path, csv.reader(lines)))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error
    if not len(load):
        raise UsageError(f"{path} holds no job", hint=_HINT)
    return load


_HINT = "a header arrival_s,duration_s, then a line a job, in seconds from the trace's beginning"


def _jobs(path: Path, rows: Iterator[list[str]]) -> Iterator[tuple[float, float]]:
    for number, row in enumerate(rows, start=1):
        if number == 1 and [each.strip() for each in row] == HEADER:
            continue
        if row:
            yield _job(f"{path}, line {number}", row)


def _job(where: str, row: list[str]) -> tuple[float, float]:
    try:
        arrival_s, duration_s = (float(each) for each in row)
    except ValueError as error:
        found = ",".join(row)
        raise UsageError(f"{where}: two numbers expected, got {found!r}", hint=_HINT) from error
    if not (0 <= arrival_s < math.inf and 0 < duration_s < math.inf):
        raise UsageError(
            f"{where}: arrival_s must be at least 0 and duration_s above 0, got {arrival_s:g} and"
            f" {duration_s:g}"
        )
    return arrival_s, duration_s
