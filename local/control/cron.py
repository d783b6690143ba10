"""EventBridge schedule expressions. Pure.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)(s?)\)")
_CRON = re.compile(r"cron\((.+)\)")
_UNIT_S = {"minute": 60, "hour": 3600, "day": 86_400}


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS = (
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("day-of-month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day-of-week", 1, 7, _DAYS),
    _Field("year", 1970, 2199),
)


class InvalidScheduleError(ValueError):
    """An expression that AWS refuses or that is not played here; says which and why."""


@dataclass(frozen=True)
class Rate:
    """Every `period_s` seconds."""

    period_s: int


@dataclass(frozen=True)
class Cron:
    """Minutes, hours, days, months, weekdays (1 is Sunday) and years in UTC."""

    fields: tuple[frozenset[int], ...]

    def matches(self, now: float) -> bool:
        """Say whether the minute that holds `now` (epoch seconds) is one of the schedule's."""
        at = datetime.fromtimestamp(now, UTC)
        values = (at.minute, at.hour, at.day, at.month, at.isoweekday() % 7 + 1, at.year)
        return all(value in allowed for value, allowed in zip(values, self.fields, strict=True))


def parse(expression: str) -> Rate | Cron:
    """Return the schedule of an expression.

    Raises: InvalidScheduleError naming the field and what is allowed.
    """
    if rate := _RATE.fullmatch(expression):
        count, unit, plural = int(rate[1]), rate[2], bool(rate[3])
        if count < 1 or plural != (count > 1):
            raise InvalidScheduleError(
                f"{expression}: a whole number from 1, 'minute' for 1 and 'minutes' for more"
            )
        return Rate(count * _UNIT_S[unit])
    cron = _CRON.fullmatch(expression)
    parts = cron[1].split() if cron else []
    if len(parts) != len(_FIELDS):
        raise InvalidScheduleError(f"{expression!r} is no rate(n unit) or cron() of six fields")
    if (parts[2] == "?") == (parts[4] == "?"):
        raise InvalidScheduleError(f"{expression}: exactly one of the day fields must be '?'")
    return Cron(
        tuple(_values(expression, part, field) for part, field in zip(parts, _FIELDS, strict=True))
    )


def _values(expression: str, text: str, field: _Field) -> frozenset[int]:
    values: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if span in {"*", "?"}:
            start, end = field.low, field.high
        else:
            start = _number(expression, first, field)
            end = _number(expression, last, field) if last else start
            if step and not last:
                end = field.high
        if step and (not step.isdecimal() or int(step) < 1):
            raise InvalidScheduleError(f"{expression}: step {step!r} of {field.name} is below 1")
        if not field.low <= start <= end <= field.high:
            raise InvalidScheduleError(
                f"{expression}: {field.name} {part!r} is not within {field.low}-{field.high}"
            )
        values.update(range(start, end + 1, int(step or 1)))
    return frozenset(values)


def _number(expression: str, text: str, field: _Field) -> int:
    if text.isdecimal():
        return int(text)
    if text.upper() in field.words:
        return field.words.index(text.upper()) + field.low
    raise InvalidScheduleError(
        f"{expression}: {field.name} {text!r} is no number, name, '*' or '?' "
        "(L, W and # are not played)"
    )
