"""Which resources a deploy replaces: by their own properties, or by what these refer to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ops.changes.model import Action, Key, Template
from ops.changes.references import references
from ops.changes.schemas import replacing

#: Reasons by resource; the action is REPLACED or MAYBE_REPLACED.
Verdict = tuple[Action, tuple[str, ...]]
Resources = Mapping[Key, Template]

#: Conditional properties that the service always changes in place, so that nothing is replaced.
#: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
#: https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyReplicationGroup.html
_IN_PLACE = {
    "AWS::RDS::DBInstance": frozenset(
        {
            "AutoMinorVersionUpgrade",
            "BackupRetentionPeriod",
            "DBParameterGroupName",
            "MultiAZ",
            "PreferredMaintenanceWindow",
        }
    ),
}
_GROUP = "AWS::AutoScaling::AutoScalingGroup"


def replaced(before: Resources, after: Resources) -> dict[Key, Verdict]:
    """Return what is replaced among the resources that both sides hold, imports resolved.

    A resource whose create-only property names a replaced one is replaced as well, and so on.
    """
    shared = before.keys() & after.keys()
    found = {key: verdict for key in shared if (verdict := _own(before[key], after[key]))}
    waiting = list(found)
    users = _users(after, shared)
    while waiting:
        target = waiting.pop()
        for key, (path, certain) in users.get(target, {}).items():
            action = found[target][0] if certain else Action.MAYBE_REPLACED
            known = found.get(key)
            if known is None or (known[0] != action and action is Action.REPLACED):
                found[key] = (action, (f"{path} names {target[1]}, which is {found[target][0]}",))
                waiting.append(key)
    return found


def _own(before: Template, after: Template) -> Verdict | None:
    """Return whether a resource's own properties replace it."""
    if before["Type"] != after["Type"]:
        return Action.REPLACED, (f"its type was {before['Type']}",)
    old, new = before.get("Properties", {}), after.get("Properties", {})
    if old == new:
        return None
    rules = replacing(after["Type"])
    if rules is None:
        return Action.MAYBE_REPLACED, ("its type has no schema",)
    if rules.whole:
        return Action.REPLACED, ("its type cannot be updated",)
    certain, possible = (_changed(paths, old, new) for paths in (rules.always, _conditional(after)))
    reasons = (
        *(f"{path} cannot change" for path in certain),
        *(f"{path} may not change in place" for path in possible),
    )
    action = Action.REPLACED if certain else Action.MAYBE_REPLACED
    return (action, reasons) if reasons else None


def _conditional(resource: Template) -> tuple[tuple[str, ...], ...]:
    """Return the conditional paths that count for a resource as it is declared."""
    type_name = resource["Type"]
    rules = replacing(type_name)
    if rules is None:
        return ()
    if type_name == _GROUP:
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatepolicy.html
        policy = resource.get("UpdatePolicy", {}).get("AutoScalingReplacingUpdate", {})
        return rules.conditional if policy.get("WillReplace") else ()
    in_place = _IN_PLACE.get(type_name, frozenset())
    return tuple(path for path in rules.conditional if path[0] not in in_place)


def _changed(paths: tuple[tuple[str, ...], ...], old: Template, new: Template) -> tuple[str, ...]:
    return tuple(
        ".".join(path) for path in paths if list(values(old, path)) != list(values(new, path))
    )


def values(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """Yield what stands at a path; nothing where it does not lead. `*` is each item of a list."""
    if not path:
        yield value
    elif path[0] == "*" and isinstance(value, list):
        for item in value:
            yield from values(item, path[1:])
    elif isinstance(value, dict) and path[0] in value:
        yield from values(value[path[0]], path[1:])


def _users(after: Resources, shared: set[Key]) -> dict[Key, dict[Key, tuple[str, bool]]]:
    """Return, by resource, who names it in a create-only property, where, and if for certain."""
    users: dict[Key, dict[Key, tuple[str, bool]]] = {}
    for key in shared:
        resource = after[key]
        rules = replacing(resource["Type"])
        if rules is None:
            continue
        properties = resource.get("Properties", {})
        # The last word counts: what replaces for certain goes last.
        for paths, certain in ((_conditional(resource), False), (rules.always, True)):
            for path in paths:
                for target in references(key[0], list(values(properties, path))):
                    users.setdefault(target, {})[key] = (".".join(path), certain)
    return users
