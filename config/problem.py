"""One wrong value among the settings."""

from __future__ import annotations

from dataclasses import dataclass

Key = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """Where a value stands, what it is, and what is allowed there."""

    key: Key
    value: object
    allowed: str
