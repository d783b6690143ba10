"""Upgrade safety: nothing that holds data is replaced or removed unless the operator names it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from config.settings import Settings
from ops import aws, facts
from ops.changes import Changes, Danger, Kind, Templates, compare, unsafe
from ops.changes.assembly import deployed
from ops.changes.model import Template
from ops.errors import UsageError
from ops.findings import Finding
from ops.releases.assemblies import Assembly
from ops.releases.record import Release

#: Nothing of such a stack is there, or was there for long.
_EMPTY = frozenset({"REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "DELETE_COMPLETE"})


def changes(
    settings: Settings, wanted: Assembly, current: Release | None, stack: str | None = None
) -> Changes:
    """Return what a deploy of an assembly, or of one `stack` of it alone, changes in what runs.

    A stack of the current release that is not in the assembly stays as it is: nothing deletes it.
    """
    before = running(settings, [*wanted.stacks, *(current.stacks if current else ())])
    sent = {stack: wanted.template(stack)} if stack else wanted.templates()
    return compare(before, {**before, **sent})


def running(settings: Settings, names: Iterable[str]) -> Templates:
    """Return the templates that run, by stack; a stack that is not there has none."""
    found = facts.stacks_named(settings, names)
    there = [stack.name for stack in found if stack.status not in _EMPTY]
    templates: dict[str, Template] = {}
    for name in there:
        templates |= deployed(aws.cloudformation(settings, name), [name])
    return templates


def decide(found: Changes, *, accepted: Sequence[str] | None) -> list[Finding]:
    """Return a finding for each danger; one whose resource is accepted is no problem.

    `accepted` are logical ids, None where nothing may be accepted. A broken export cannot be:
    CloudFormation itself refuses it.

    Raises: UsageError when something accepted is in no danger.
    """
    dangers = unsafe(found)
    acceptable = {danger.subject for danger in dangers if danger.kind is not Kind.EXPORT}
    if unknown := sorted(set(accepted or ()) - acceptable):
        allowed = ", ".join(sorted(acceptable)) or "nothing: no resource with data is in danger"
        raise UsageError(f"--accept {', '.join(unknown)} is not allowed; allowed: {allowed}")
    return [_finding(danger, accepted) for danger in dangers]


def _finding(danger: Danger, accepted: Sequence[str] | None) -> Finding:
    what = f"{danger.stack} {danger.subject}"
    if danger.subject in (accepted or ()):
        return Finding(f"{what}: accepted. {danger.sentence}")
    fix = danger.remedy
    if danger.kind is not Kind.EXPORT and accepted is not None:
        fix += f" To do it all the same: --accept {danger.subject}"
    return Finding(what, danger.sentence.rstrip("."), fix)
