"""How releases are listed."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ops import places
from ops.releases.record import Release


def show(environment: str, releases: Sequence[Release], console: Console) -> None:
    """Print an environment's releases, the newest first; a problem stands below its release."""
    if not releases:
        console.print(f"no release of '{environment}' is recorded")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("", "release", "time (UTC)", "kind", "commit", "by", "verified", "stacks"):
        table.add_column(name, no_wrap=name != "stacks", overflow="fold")
    for release in reversed(releases):
        mark = "→" if release is releases[-1] else ""
        table.add_row(*map(escape, (mark, *row(release, places.stack_prefix(environment)))))
    console.print(table)
    for problem in releases[-1].problems:
        console.print(problem, style="red", markup=False, highlight=False, soft_wrap=True)


def row(release: Release, prefix: str) -> tuple[str, ...]:
    """Return the cells of a release; stacks without the `prefix` that all have."""
    kind = release.kind
    if release.of is not None:
        kind += f" to {release.of}"
    if release.stack is not None:
        kind += f", {release.stack.removeprefix(prefix)} alone"
    commit = release.commit[:12] + ("+" if release.dirty else "")
    at = release.at[:19].replace("T", " ")
    stacks = ", ".join(each.removeprefix(prefix) for each in release.touched)
    verified = "yes" if release.verified else f"no: {len(release.problems)} problems"
    return str(release.number), at, kind, commit, release.who, verified, stacks or "none"


def rows_json(releases: Sequence[Release]) -> list[dict[str, object]]:
    """Return releases as JSON would hold them, oldest first; the last is `current`."""
    last = len(releases) - 1
    return [{**each.as_json(), "current": at == last} for at, each in enumerate(releases)]
