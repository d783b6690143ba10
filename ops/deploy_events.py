"""What the CDK CLI prints during a deploy, read line by line. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

_EVENT = re.compile(
    r"^\s*(?P<stack>[\w-]+)\s+\|\s+(?P<done>\d+)(?:/(?P<total>\d+))?\s+\|[^|]+\|"
    r"\s+(?P<status>[A-Z_]+)\s+\|\s+(?P<type>[\w:]+)\s+\|\s+(?P<what>.*)$"
)
_DONE = re.compile(r"^\s*✅\s+(?P<stack>[\w-]+)(?P<same> \(no changes\))?")
_TROUBLE = re.compile(r"^\s*(❌|Failed to |\S+ failed: |Error:)")
_ORIGIN = re.compile(r"^\s*(Source Location: |\(no user code )")
_FAILED = re.compile(r"^\s*❌\s+(?P<stack>[\w-]+) failed: (?P<reason>.*)$")


@dataclass(frozen=True)
class StackProgress:
    """How far a stack is: `state` is deploying, done, unchanged or failed."""

    name: str
    state: str = "deploying"
    done: int = 0
    total: int = 0
    current: str = ""


def advance(known: StackProgress | None, line: str) -> StackProgress | None:
    """Return the progress of the stack that a line is about, None when it is about none.

    Args: `known` is what was known of that stack; see `stack_of`.
    """
    if match := _EVENT.match(line):
        before = known or StackProgress(match["stack"])
        return replace(
            before,
            done=int(match["done"]),
            total=int(match["total"] or before.total),
            current=f"{match['type'].removeprefix('AWS::')} {match['status'].lower()}",
        )
    if match := _DONE.match(line):
        before = known or StackProgress(match["stack"])
        state = "unchanged" if match["same"] else "done"
        return replace(before, state=state, done=before.total, current="")
    if match := _FAILED.match(line):
        before = known or StackProgress(match["stack"])
        return replace(before, state="failed", current=match["reason"])
    return None


def trouble(lines: Sequence[str]) -> list[str]:
    """Return what the CLI said from its first word of a failure on; everything without such a word.

    A change set that is refused never becomes an event of its stack: this is the only telling.
    """
    first = next((at for at, line in enumerate(lines) if _TROUBLE.match(line)), 0)
    return [line for line in lines[first:] if not _ORIGIN.match(line)]


def stack_of(line: str) -> str | None:
    """Return the stack that a line is about."""
    for pattern in (_EVENT, _DONE, _FAILED):
        if match := pattern.match(line):
            return match["stack"]
    return None
