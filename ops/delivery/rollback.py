"""`rollback`: a recorded assembly is deployed again, whole or one stack of it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import typer
from rich.console import Console

from config.settings import Settings
from ops import checks
from ops.changes import Changes
from ops.checks import upgrade
from ops.delivery import announcement
from ops.delivery.carrying_out import Outcome, carry_out
from ops.delivery.plan import Plan, stack_named
from ops.errors import OperatorError, UsageError
from ops.releases.assemblies import Assembly
from ops.releases.composition import with_stack
from ops.releases.record import ROLLBACK, Release, forbidding, numbered, previous
from ops.releases.store import Store, open_store


def rollback(
    settings: Settings,
    console: Console,
    *,
    to: int | None = None,
    role: str | None = None,
    yes: bool = False,
) -> Outcome:
    """Say what would change, ask, then deploy, verify and record what a release recorded.

    Without `to` it is the newest older release that differs, or the current one where something
    else runs, since a deploy failed half-way. `role` names one stack to bring back alone, and to
    look at alone. `yes` asks nobody.

    Raises: OperatorError when data would be lost or a migration forbids it; UsageError.
    """
    store = open_store(settings)
    releases = store.releases() if store else []
    if store is None or not releases:
        raise OperatorError("no release is recorded: nothing to roll back to")
    current = releases[-1]
    stack = stack_named(settings, role, tuple(current.stacks)) if role else None
    with tempfile.TemporaryDirectory(prefix="academy-") as room:
        if to is not None:
            target = numbered(releases, to)
        elif _runs_something_else(settings, store, current, stack, Path(room)):
            target = current
        else:
            target = previous(releases, stack)
        applied = store.applied(current)
        _require_no_migration(applied, target)
        assembly = _assembly(store, current, target, stack, Path(room))
        found = upgrade.changes(settings, assembly, current, stack)
        announcement.show(current, target, stack, found, console)
        checks.require_safe(found, accepted=None)
        confirm(found, yes=yes)
        plan = _plan(target, assembly, applied, stack)
        return carry_out(settings, plan, releases, console)


def _runs_something_else(
    settings: Settings, store: Store, current: Release, stack: str | None, room: Path
) -> bool:
    recorded = store.assembly(current, room / "recorded")
    return bool(upgrade.changes(settings, recorded, current, stack))


def _assembly(
    store: Store, current: Release, target: Release, stack: str | None, room: Path
) -> Assembly:
    wanted = store.assembly(target, room / "target")
    if stack is None:
        return wanted
    return with_stack(store.assembly(current, room / "current"), wanted, stack, room / "composed")


def _plan(
    target: Release, assembly: Assembly, applied: Mapping[str, bool], stack: str | None
) -> Plan:
    """Return the plan; the database keeps the migrations that it has."""
    return Plan(
        kind=ROLLBACK,
        assembly=assembly,
        commit=target.commit,
        dirty=target.dirty,
        settings=target.settings,
        migrations=applied,
        of=target.number,
        stack=stack,
    )


def _require_no_migration(applied: Mapping[str, bool], target: Release) -> None:
    if forbids := forbidding(applied, target):
        raise OperatorError(
            f"release {target.number} cannot come back: its code does not work with the database "
            f"since migration {', '.join(forbids)}",
            hint="nothing was changed; mend forward, with a deploy",
        )


def confirm(found: Changes, *, yes: bool) -> None:
    """Ask, unless nothing changes.

    Raises: UsageError where nobody can be asked, OperatorError when the answer is no.
    """
    if yes or not found:
        return
    if not sys.stdin.isatty():
        raise UsageError("a rollback asks first, and nobody is there to answer; allowed: --yes")
    if not typer.confirm("Roll back?"):
        raise OperatorError("nothing was changed")
