"""Filter patterns of CloudWatch Logs: terms, phrases, and comparisons of JSON fields. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable
from typing import Any

#: A quoted phrase, or a word without the signs that mean something else.
_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_TERM = re.compile(rf"\s*(?:{_QUOTED}|([\w.:/|_]+))")
_FIELD = re.compile(rf"\s*\$\.([\w.]+)\s*(!=|>=|<=|=|>|<)\s*(?:{_QUOTED}|([\w.*:/+-]+))\s*")
_ESCAPED = re.compile(r"\\(.)")
_NUMBERS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
Matcher = Callable[[str], bool]


class PatternError(ValueError):
    """A pattern that is not played; says which."""


def matcher(pattern: str | None) -> Matcher:
    """Return what tells whether a message matches: all terms are in it, or all comparisons hold.

    Played: words and "phrases"; `{ $.a.b = "x*" && $.n >= 3 }`. Raises: PatternError.
    """
    text = (pattern or "").strip()
    if text.startswith("{") and text.endswith("}"):
        return _fields(text)
    terms, at = [], 0
    while at < len(text):
        found = _TERM.match(text, at)
        if found is None:
            raise PatternError(f"filter pattern {pattern!r} is not played from {text[at:]!r} on")
        terms.append(_text(found[1], found[2]))
        at = found.end()
    return lambda message: all(term in message for term in terms)


def _text(quoted: str | None, bare: str) -> str:
    return bare if quoted is None else _ESCAPED.sub(r"\1", quoted)


def _fields(pattern: str) -> Matcher:
    comparisons = []
    for part in pattern[1:-1].split("&&"):
        found = _FIELD.fullmatch(part)
        if found is None:
            raise PatternError(f"filter pattern {pattern!r} is not played: {part.strip()!r}")
        path, sign, quoted, bare = found.groups()
        wanted = _text(quoted, bare)
        if sign in _NUMBERS and _number(wanted) is None:
            raise PatternError(f"filter pattern {pattern!r} is not played: {wanted!r} is no number")
        comparisons.append((path.split("."), sign, wanted))
    return lambda message: _all_hold(message, comparisons)


def _all_hold(message: str, comparisons: list[tuple[list[str], str, str]]) -> bool:
    try:
        root = json.loads(message)
    except ValueError:
        return False
    return isinstance(root, dict) and all(_holds(root, *each) for each in comparisons)


def _holds(root: Any, path: list[str], sign: str, wanted: str) -> bool:
    for name in path:
        if not isinstance(root, dict) or name not in root:
            return False
        root = root[name]
    if sign in _NUMBERS:
        return isinstance(root, int | float) and _NUMBERS[sign](root, float(wanted))
    if isinstance(root, int | float) and not isinstance(root, bool):
        same = _number(wanted) == root
    else:
        parts = ".*".join(map(re.escape, wanted.split("*")))
        same = isinstance(root, str) and re.fullmatch(parts, root, re.DOTALL) is not None
    return same is (sign == "=")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
