"""What is to run, and what its record will say. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from config.contracts.names import PREFIX
from config.settings import Settings
from ops import places
from ops.errors import UsageError
from ops.releases.assemblies import Assembly
from ops.releases.record import Release, touched


@dataclass(frozen=True)
class Plan:
    """An assembly to deploy, whole or one stack of it, and where it comes from.

    `kind`, `commit`, `dirty`, `settings`, `migrations`, `of` and `stack` are those of `Release`.
    """

    kind: str
    assembly: Assembly
    commit: str
    dirty: bool
    settings: str
    migrations: Mapping[str, bool]
    of: int | None = None
    stack: str | None = None


def settings_hash(settings: Settings) -> str:
    """Return the SHA-256 of an environment's settings."""
    return hashlib.sha256(settings.model_dump_json().encode()).hexdigest()


def api_stack(environment: str) -> str:
    """Return the stack whose instances migrate the database when they start."""
    return f"{places.stack_prefix(environment)}api"


def stack_named(settings: Settings, given: str, known: tuple[str, ...]) -> str:
    """Return the stack of a role (`video`) or of its full name. Raises: UsageError."""
    prefix = places.stack_prefix(settings.environment)
    name = given if given.startswith(f"{PREFIX}-") else prefix + given
    if name not in known:
        roles = ", ".join(sorted(each.removeprefix(prefix) for each in known))
        raise UsageError(f"--stack {given} is not in this environment; allowed: {roles}")
    return name


def release_of(
    plan: Plan,
    before: Release | None,
    *,
    at: str,
    who: str,
    images: Mapping[str, str],
    problems: list[str],
) -> Release:
    """Return the record of a plan that was carried out; the store gives it its number."""
    digests = plan.assembly.digests()
    return Release(
        number=0,
        kind=plan.kind,
        at=at,
        who=who,
        commit=plan.commit,
        dirty=plan.dirty,
        stacks=digests,
        touched=touched(before, digests),
        images=images,
        settings=plan.settings,
        migrations=plan.migrations,
        of=plan.of,
        stack=plan.stack,
        problems=problems,
    )
