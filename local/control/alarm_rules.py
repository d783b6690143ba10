"""Rules of composite alarms: ALARM, OK and INSUFFICIENT_DATA joined by AND, OR, NOT. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

from __future__ import annotations

import re
from collections.abc import Callable

_WORD = re.compile(r"""\s*(\(|\)|"[^"]*"|'[^']*'|[^\s()"']+)""")
_STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")


class InvalidRuleError(ValueError):
    """A rule that cannot be read, or that names an alarm that is not there."""


def holds(rule: str, state_of: Callable[[str], str]) -> bool:
    """Say whether a rule holds; `state_of` returns the state of an alarm's name.

    Raises: InvalidRuleError saying where.
    """
    reader = _Reader(rule, state_of)
    value = reader.any_of()
    if reader.words:
        raise InvalidRuleError(f"rule {rule!r}: unexpected {reader.words[0]!r}")
    return value


class _Reader:
    def __init__(self, rule: str, state_of: Callable[[str], str]) -> None:
        self._rule = rule
        self._state_of = state_of
        self.words = _WORD.findall(rule)

    def any_of(self) -> bool:
        value = self._all_of()
        while self._next_is("OR"):
            value = self._all_of() or value
        return value

    def _all_of(self) -> bool:
        value = self._one()
        while self._next_is("AND"):
            value = self._one() and value
        return value

    def _one(self) -> bool:
        word = self._take().upper()
        if word == "NOT":
            return not self._one()
        if word == "(":
            value = self.any_of()
            self._expect(")")
            return value
        if word in {"TRUE", "FALSE"}:
            return word == "TRUE"
        if word not in _STATES:
            raise InvalidRuleError(f"rule {self._rule!r}: unexpected {word!r}")
        self._expect("(")
        name = self._take().strip("\"'").rsplit(":alarm:", 1)[-1]
        self._expect(")")
        return self._state_of(name) == word

    def _take(self) -> str:
        if not self.words:
            raise InvalidRuleError(f"rule {self._rule!r} ends too early")
        return str(self.words.pop(0))

    def _expect(self, word: str) -> None:
        if self._take() != word:
            raise InvalidRuleError(f"rule {self._rule!r}: {word!r} is missing")

    def _next_is(self, wanted: str) -> bool:
        if self.words and self.words[0].upper() == wanted:
            self.words.pop(0)
            return True
        return False
