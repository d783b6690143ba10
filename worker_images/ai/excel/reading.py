"""What the reader's process tells the worker of a roster."""

from __future__ import annotations

from dataclasses import dataclass, field

#: Errors that are told one by one; the rest is counted.
MAX_ERRORS = 100


@dataclass
class Reading:
    """What was read. `errors` holds `{row, column, title, value, reason}`, rows as Excel counts."""

    sheet: str = ""
    rows: int = 0
    error_rows: int = 0
    errors: list[dict[str, object]] = field(default_factory=list)
    more_errors: int = 0

    def add_error(self, error: dict[str, object]) -> None:
        """Keep an error, or count it once there are many."""
        if len(self.errors) < MAX_ERRORS:
            self.errors.append(error)
        else:
            self.more_errors += 1
