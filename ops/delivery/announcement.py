"""What a rollback will do, said before it acts."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from ops.changes import Action, Changes
from ops.releases.images import images as named_images
from ops.releases.record import Release
from ops.view import say_title

_STYLES = {
    Action.ADDED: "green",
    Action.CHANGED: "yellow",
    Action.MAYBE_REPLACED: "red",
    Action.REPLACED: "red bold",
    Action.REMOVED: "red",
}


def show(
    current: Release, target: Release, stack: str | None, found: Changes, console: Console
) -> None:
    """Print where a rollback leads from and to, and every resource that it changes."""
    what = stack or "everything"
    if target is current:
        say_title(console, f"bring {what} back to release {current.number}, which should run")
    else:
        say_title(console, f"roll {what} back from release {current.number} to {target.number}")
    commit = target.commit[:12] + (" with changes" if target.dirty else "")
    _say(console, f"release {target.number}: {target.at}, commit {commit}, by {target.who}")
    for problem in target.problems:
        _say(console, f"it was not verified: {problem}", style="red")
    for line in images(found):
        _say(console, line)
    for name in sorted(current.stacks.keys() - target.stacks.keys() if stack is None else ()):
        _say(console, f"{name} stays as it is: release {target.number} does not have it")
    for change in found.resources:
        where = f"{change.stack} {change.path} ({change.type_name})"
        _say(console, f"{change.action}: {where}", style=_STYLES[change.action])
    if not found:
        _say(console, "no resource changes")


def images(found: Changes) -> list[str]:
    """Return a line for each image that takes another's place in a resource that changes."""
    lines = set()
    for change in found.resources:
        before = _tags([each.before for each in change.properties])
        after = _tags([each.after for each in change.properties])
        lines |= {
            f"image {name}: {before.get(name, 'none')} -> {tag}"
            for name, tag in after.items()
            if before.get(name) != tag
        }
    return sorted(lines)


def _tags(values: list[Any]) -> dict[str, str]:
    """Return the tag of each image that values of properties name."""
    return dict(name.split(":", 1) for name in named_images([{"": values}]))


def _say(console: Console, line: str, style: str | None = None) -> None:
    console.print(f"  {line}", style=style, markup=False, highlight=False, soft_wrap=True)
