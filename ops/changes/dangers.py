"""What must not be deployed as it is: data that would be lost, exports that are still in use."""

from __future__ import annotations

from collections.abc import Iterator

from ops.changes.model import Action, BrokenExport, Changes, Danger, Kind, ResourceChange

_KEEP_ID = "Keep its construct id and scope, or pin the old id with override_logical_id."
_NEW_ONE = (
    "Undo the change, or add a second resource beside it, move the data, and remove this one in a "
    "later release."
)
_RELEASE = (
    "Put it back; to give it up, take its academy:stateful mark away in one release, back the data "
    "up, and remove it in the next."
)
_FIRST = "Deploy {} alone first (`cdk deploy --exclusively`), then the rest."
_TWO_STEPS = (
    "Deploy in two releases: first one where no stack imports it, with the export kept by "
    "Stack.export_value, then one without it."
)


def unsafe(changes: Changes) -> list[Danger]:
    """Return what must not be deployed as it is, the data first; empty when all is safe."""
    data = [danger for change in changes.resources if (danger := _of_resource(change))]
    return data + list(_of_exports(changes.broken_exports))


def _of_resource(change: ResourceChange) -> Danger | None:
    """Return the danger of a change to what holds data; the mark of either side counts."""
    if change.holds is None:
        return None
    what = f"{change.path} ({change.type_name}) holds {change.holds}"
    rest = "the old one stays behind, unmanaged" if change.kept else "the old one is deleted"
    if change.renamed_to or change.action is Action.REMOVED:
        how = (
            f"and its logical id becomes {change.renamed_to}: a new one starts empty, {rest}"
            if change.renamed_to
            else f"and is removed: {rest}"
        )
        remedy = _KEEP_ID if change.renamed_to else _RELEASE
        return _danger(Kind.REMOVED, change, f"{what} {how}.", remedy)
    if change.action in {Action.REPLACED, Action.MAYBE_REPLACED}:
        why = "; ".join(change.reasons)
        how = "is replaced" if change.action is Action.REPLACED else "may be replaced"
        sentence = f"{what} and {how} ({why}): the new one starts empty, {rest}."
        return _danger(Kind.REPLACED, change, sentence, _NEW_ONE)
    return None


def _danger(kind: Kind, change: ResourceChange, sentence: str, remedy: str) -> Danger:
    return Danger(kind, change.stack, change.logical_id, sentence, remedy)


def _of_exports(broken: tuple[BrokenExport, ...]) -> Iterator[Danger]:
    for each in broken:
        users = ", ".join(each.importers)
        what = "is removed" if each.removed else "changes its value"
        sentence = (
            f"Export {each.export} of {each.stack} {what} while {users} still "
            f"import{'s' if len(each.importers) == 1 else ''} it: CloudFormation refuses that."
        )
        first = ", ".join(each.first)
        remedy = _FIRST.format(first) if first else _TWO_STEPS
        yield Danger(Kind.EXPORT, each.stack, each.export, sentence, remedy, each.first)
