"""Values of templates as one short line: functions as `${...}`, long ones cut, secrets hidden."""

from __future__ import annotations

import json
import re
from typing import Any

from ops.changes.model import PropertyChange
from ops.changes.references import IMPORTED

#: Characters of a value that a table or a console line holds.
WIDTH = 80
_CONTEXT = 12
_HIDDEN = "(hidden)"
_SECRET = re.compile(r"password|secret(?!s?manager)|token|credential|private_?key", re.IGNORECASE)
#: What names a secret rather than being one.
_NAMES_A_SECRET = re.compile(r"(arn|id|name|length|key|enabled|size)s?$", re.IGNORECASE)
_HASH = re.compile(r"\b[0-9a-f]{64}\b")


def plain(value: Any) -> str:
    """Return a value on one line; `${Queue.Arn}` for GetAtt, `${stack/Queue}` for an import."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and len(value) == 1:
        (name, argument) = next(iter(value.items()))
        shown = _function(name, argument)
        if shown is not None:
            return shown
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {plain(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(plain, value)) + "]"
    return json.dumps(value)


def _function(name: str, argument: Any) -> str | None:
    if name == "Ref":
        return f"${{{argument}}}"
    if name == "Fn::GetAtt":
        return f"${{{argument if isinstance(argument, str) else '.'.join(map(plain, argument))}}}"
    if name == IMPORTED:
        return plain(argument[1]).replace("${", f"${{{argument[0]}/", 1)
    if name == "Fn::Join" and isinstance(argument[1], list):
        return plain(argument[0]).join(map(plain, argument[1]))
    if name in {"Fn::Sub", "Fn::Base64"}:
        return plain(argument[0] if isinstance(argument, list) else argument)
    return None


def code_changed(change: PropertyChange) -> bool:
    """Tell whether a change is one of an asset's hash alone: what it holds is other code."""
    if change.before is None or change.after is None:
        return False
    was, will_be = plain(change.before), plain(change.after)
    return bool(_HASH.search(was)) and _HASH.sub("", was) == _HASH.sub("", will_be)


def sides(change: PropertyChange) -> tuple[str, str]:
    """Return both sides of a change, short; of long ones the part around the first difference."""
    if _is_secret(change):
        return _HIDDEN, _HIDDEN
    was, will_be = _side(change.before), _side(change.after)
    if max(len(was), len(will_be)) <= WIDTH:
        return was, will_be
    same = next(
        (i for i, pair in enumerate(zip(was, will_be, strict=False)) if pair[0] != pair[1]),
        min(len(was), len(will_be)),
    )
    start = max(0, same - _CONTEXT)
    return _cut(was, start), _cut(will_be, start)


def _side(value: Any) -> str:
    return "" if value is None else " ".join(plain(value).split())


def _cut(text: str, start: int) -> str:
    shown = text[start : start + WIDTH]
    before = "…" if start and shown else ""
    return f"{before}{shown}{'…' if start + WIDTH < len(text) else ''}"


def _is_secret(change: PropertyChange) -> bool:
    """Tell whether a value by its path is a secret in plain text; references to one are shown."""
    last = change.path.rsplit(".", 1)[-1]
    if not _SECRET.search(last) or _NAMES_A_SECRET.search(last):
        return False
    given = [plain(side) for side in (change.before, change.after) if side is not None]
    return any("${" not in side and "{{resolve:" not in side for side in given)
