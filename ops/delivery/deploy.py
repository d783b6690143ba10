"""`deploy`: a synthesized assembly, whole or one stack of it, becomes the current release."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from config.settings import Settings
from ops import checks, places
from ops.checks import templates, upgrade
from ops.delivery.carrying_out import Outcome, carry_out
from ops.delivery.plan import Plan, api_stack, settings_hash, stack_named
from ops.errors import OperatorError
from ops.findings import show
from ops.releases.assemblies import Assembly
from ops.releases.composition import with_stack
from ops.releases.migrations import migrations
from ops.releases.origin import origin
from ops.releases.record import DEPLOY, Release
from ops.releases.store import Store, open_store
from ops.view import step


def deploy(
    settings: Settings,
    assembly: Path,
    console: Console,
    *,
    role: str | None = None,
    accepted: Sequence[str] = (),
) -> Outcome:
    """Check, deploy, verify and record an assembly.

    `role` names one stack to deploy alone; the others stay as the current release has them.
    `accepted` are resources with data, by logical id, that may be lost.

    Raises: OperatorError, UsageError.
    """
    store = open_store(settings)
    releases = store.releases() if store else []
    with tempfile.TemporaryDirectory(prefix="academy-") as room:
        wanted, stack = Assembly(assembly), None
        if role is not None:
            stack = stack_named(settings, role, wanted.stacks)
            wanted = _alone(store, releases, wanted, stack, Path(room) / "composed")
        with step(console, "check what would change") as say:
            current = releases[-1] if releases else None
            found = upgrade.changes(settings, wanted, current, stack)
            templates.require_clean(found, wanted)
            taken = checks.require_safe(found, accepted=accepted)
            show(taken, console)
            lost = f"{len(taken)} with data accepted" if taken else "none with data in danger"
            say(f"{len(found.resources)} resources, {lost}")
        known = store.applied(current) if store else {}
        return carry_out(settings, _plan(settings, wanted, known, stack), releases, console)


def _alone(
    store: Store | None, releases: Sequence[Release], wanted: Assembly, stack: str, room: Path
) -> Assembly:
    """Return the current release's assembly with one stack of another in it."""
    if store is None or not releases:
        raise OperatorError(
            f"{stack} cannot be deployed alone: no release is recorded",
            hint="deploy the whole environment first",
        )
    current = store.assembly(releases[-1], room.with_name("current"))
    return with_stack(current, wanted, stack, room)


def _plan(
    settings: Settings, wanted: Assembly, known: Mapping[str, bool], stack: str | None
) -> Plan:
    source = origin(places.ROOT, settings.aws.region)
    return Plan(
        kind=DEPLOY,
        assembly=wanted,
        commit=source.commit,
        dirty=source.dirty,
        settings=settings_hash(settings),
        migrations=migrations_after(known, stack, api_stack(settings.environment)),
        stack=stack,
    )


def migrations_after(known: Mapping[str, bool], stack: str | None, api: str) -> dict[str, bool]:
    """Return what the database has after a deploy: what it had, and what the API brings."""
    brings = stack in {None, api}
    return {**known, **(migrations(places.ROOT) if brings else {})}
