"""Two sets of templates compared: `compare(before, after)`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from config.contracts.statefulness import STATEFUL
from ops.changes.model import (
    Action,
    BrokenExport,
    Changes,
    Key,
    OutputChange,
    ResourceChange,
    Template,
    Templates,
)
from ops.changes.openings import widened_openings
from ops.changes.paths import cdk_path, construct_path
from ops.changes.permissions import widened_permissions
from ops.changes.properties import differences
from ops.changes.references import Exports, export_name, imports, references
from ops.changes.replacement import Resources, Verdict, replaced

Verdicts = dict[Key, Verdict]

_KEEPING = frozenset({"Retain", "RetainExceptOnCreate", "Snapshot"})
#: CDK's own record of its version: no resource of ours.
_IGNORED = "AWS::CDK::Metadata"


def compare(before: Templates, after: Templates) -> Changes:
    """Return what a deploy of `after` changes where `before` is deployed.

    Both are templates by stack, under the same names. Metadata alone is no change. Pure: nothing
    is read but the resource schemas that cfn-lint carries.
    """
    old_exports, new_exports = Exports(before), Exports(after)
    old, new = _resources(before, old_exports), _resources(after, new_exports)
    verdicts = replaced(old, new)
    changed = tuple(_changed_resources(old, new, verdicts, _renamed(old, new)))
    return Changes(
        resources=changed,
        outputs=tuple(_outputs(before, after)),
        broken_exports=tuple(_broken(old_exports, new_exports, verdicts, after)),
        permissions=widened_permissions(old, new),
        openings=widened_openings(old, new),
        stacks_added=tuple(sorted(after.keys() - before.keys())),
        stacks_removed=tuple(sorted(before.keys() - after.keys())),
        unchanged=len(old.keys() & new.keys() - {(c.stack, c.logical_id) for c in changed}),
    )


def _resources(templates: Templates, exports: Exports) -> dict[Key, Template]:
    """Return every resource by stack and logical id, its imports resolved."""
    return {
        (stack, logical_id): {**resource, "Properties": exports.resolve(_properties(resource))}
        for stack, template in sorted(templates.items())
        for logical_id, resource in template.get("Resources", {}).items()
        if resource["Type"] != _IGNORED
    }


def _properties(resource: Template) -> Any:
    return resource.get("Properties", {})


def _renamed(old: Resources, new: Resources) -> dict[Key, Key]:
    """Return the new key by the old one of what is the same construct under another logical id."""
    gone, made = old.keys() - new.keys(), new.keys() - old.keys()
    by_path = {(key[0], path): key for key in made if (path := cdk_path(new[key]))}
    return {
        key: by_path[place]
        for key in gone
        if (place := (key[0], cdk_path(old[key]) or "")) in by_path
    }


def _changed_resources(
    old: Resources, new: Resources, verdicts: Verdicts, renamed: dict[Key, Key]
) -> Iterator[ResourceChange]:
    """Yield each resource that differs, in the order of stacks, then of logical ids."""
    arrived = set(renamed.values())
    for key in sorted(old.keys() | new.keys()):
        if key in renamed:
            yield _rename(key, old[key], new[renamed[key]], renamed[key][1])
        elif key not in new:
            yield _change(key, Action.REMOVED, old[key], {})
        elif key not in old:
            if key not in arrived:
                yield _change(key, Action.ADDED, {}, new[key])
        elif each := _differing(key, old[key], new[key], verdicts.get(key)):
            yield each


def _differing(
    key: Key, old: Template, new: Template, verdict: Verdict | None
) -> ResourceChange | None:
    action, reasons = verdict or (Action.CHANGED, ())
    change = replace(_change(key, action, old, new), reasons=reasons)
    return change if verdict or change.properties or change.unmarked else None


def _rename(key: Key, old: Template, new: Template, logical_id: str) -> ResourceChange:
    return replace(
        _change(key, Action.REPLACED, old, new),
        reasons=(f"its logical id becomes {logical_id}",),
        renamed_to=logical_id,
        kept=old.get("DeletionPolicy") in _KEEPING,
    )


def _change(key: Key, action: Action, old: Template, new: Template) -> ResourceChange:
    """Return the change of a resource; an empty side is one that is not there."""
    stack, logical_id = key
    policy = "DeletionPolicy" if action is Action.REMOVED else "UpdateReplacePolicy"
    marks = [side.get("Metadata", {}).get(STATEFUL) for side in (old, new)]
    return ResourceChange(
        stack=stack,
        logical_id=logical_id,
        type_name=(new or old)["Type"],
        action=action,
        path=construct_path(key, new or old),
        properties=differences(old, new) if old and new else (),
        holds=marks[1] or marks[0],
        unmarked=bool(new and marks[0] and not marks[1]),
        kept=(old or new).get(policy) in _KEEPING,
    )


def _outputs(before: Templates, after: Templates) -> Iterator[OutputChange]:
    for stack in sorted(before.keys() | after.keys()):
        old = before.get(stack, {}).get("Outputs", {})
        new = after.get(stack, {}).get("Outputs", {})
        for name in sorted(old.keys() | new.keys()):
            sides = old.get(name, {}), new.get(name, {})
            was, will_be = (side.get("Value") for side in sides)
            exports = [export_name(side) for side in sides]
            if was != will_be or exports[0] != exports[1]:
                yield OutputChange(stack, name, exports[1] or exports[0], was, will_be)


def _broken(
    old: Exports, new: Exports, verdicts: Verdicts, after: Templates
) -> Iterator[BrokenExport]:
    """Yield the exports in use that CloudFormation would refuse to delete or to change."""
    for name, (stack, value) in sorted(old.values.items()):
        removed = name not in new.values
        users = old.importers[name] | (new.importers[name] if removed else set())
        if users and (removed or _changes_value(old.resolve(value), new.exported(name), verdicts)):
            importers = tuple(sorted(users))
            can_leave = all(_can_leave(after.get(user), name, old) for user in importers)
            yield BrokenExport(stack, name, importers, removed, importers if can_leave else ())


def _can_leave(importer: Template | None, export: str, old: Exports) -> bool:
    """Tell whether a stack gives an export up with what is exported already."""
    return importer is not None and export not in set(imports(importer)) and old.offer(importer)


def _changes_value(was: Any, will_be: tuple[str, Any], verdicts: Verdicts) -> bool:
    stack, value = will_be
    named = references(stack, value)
    return was != value or any(
        verdicts[key][0] is Action.REPLACED for key in named if key in verdicts
    )
