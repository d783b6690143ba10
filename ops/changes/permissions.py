"""Permissions that were not there before: statements of any policy, managed policies, trust."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from ops.changes.grants import Grant, grants, statements
from ops.changes.model import Key, Template, Widening
from ops.changes.paths import construct_path
from ops.changes.references import references
from ops.changes.text import plain

Resources = Mapping[Key, Template]
#: Whose permissions, and which: "trust" for who may take a role, else "".
Holder = tuple[Key, str]
#: What a policy that is a resource of its own (`AWS::IAM::Policy`, `AWS::S3::BucketPolicy`) names.
_HOLDERS = ("Roles", "Users", "Groups", "Bucket", "Queues", "Topics", "SecretId")
_TRUST = "AssumeRolePolicyDocument"
_PERMISSION = "AWS::Lambda::Permission"


def widened_permissions(before: Resources, after: Resources) -> tuple[Widening, ...]:
    """Return what a principal may do in `after` that it might not in `before`, by holder.

    A statement that is split, merged or moved to another policy of the same holder widens nothing.
    """
    old, new = _by_holder(before), _by_holder(after)
    found = []
    for holder in sorted(holder for holder in old.keys() | new.keys() if holder[0] in after):
        key, part = holder
        lines = _gained(old.get(holder, set()), new.get(holder, set()))
        whose = f"{construct_path(key, after[key])}{f' ({part})' if part else ''}"
        found += [Widening(key[0], whose, line) for line in lines]
    return tuple(found)


def _by_holder(resources: Resources) -> dict[Holder, set[Grant]]:
    found: dict[Holder, set[Grant]] = defaultdict(set)
    for key, resource in resources.items():
        for holder, grant in _held(key, resource):
            if holder[0] in resources:
                found[holder].add(grant)
    return found


def _held(key: Key, resource: Template) -> Iterator[tuple[Holder, Grant]]:
    """Yield what a resource grants, with whose permission it is."""
    properties = resource.get("Properties", {})
    for name, value in properties.items():
        part = "trust" if name == _TRUST else ""
        for document in _documents(value):
            for grant in grants(document):
                for holder in _holders(key, resource):
                    yield (holder, part), grant
    for policy in properties.get("ManagedPolicyArns", []):
        yield (key, ""), Grant(True, "", f"do everything in {plain(policy)}", "")
    if resource["Type"] == _PERMISSION:
        yield _invocation(key, properties)


def _documents(value: Any) -> Iterator[Any]:
    """Yield every policy document in a value: whatever has statements."""
    if isinstance(value, list):
        for item in value:
            yield from _documents(item)
    elif isinstance(value, dict):
        if statements(value):
            yield value
        else:
            for item in value.values():
                yield from _documents(item)


def _holders(key: Key, resource: Template) -> list[Key]:
    """Return what a policy is attached to; of any other resource itself."""
    if not resource["Type"].endswith("Policy"):
        return [key]
    named = [resource["Properties"].get(kind, []) for kind in _HOLDERS]
    return list(references(key[0], named)) or [key]


def _invocation(key: Key, properties: Template) -> tuple[Holder, Grant]:
    function = next(references(key[0], properties["FunctionName"]), key)
    sources = ("SourceArn", "SourceAccount", "PrincipalOrgID")
    condition = frozenset(f"{n} {plain(properties[n])}" for n in sources if n in properties)
    principal = plain(properties["Principal"])
    return (function, ""), Grant(True, principal, properties["Action"], "", condition)


def _gained(old: set[Grant], new: set[Grant]) -> Iterator[str]:
    """Yield one line for each resource and principal that gained actions or lost a denial."""
    lines: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for grant in sorted(new, key=_order):
        if grant.allows and not any(each.covers(grant) for each in old):
            was = next((each for each in old if each.same_target(grant)), None)
            lines["may", _target(grant), _conditions(grant, was)].append(grant.action)
    for grant in sorted(old, key=_order):
        if not grant.allows and not any(each.covers(grant) for each in new):
            lines["is no longer denied", _target(grant), ""].append(grant.action)
    for (verb, target, condition), actions in lines.items():
        yield f"{verb} {', '.join(actions)}{target}{condition}"


def _order(grant: Grant) -> tuple[str, str, str]:
    return grant.resource, grant.principal, grant.action


def _target(grant: Grant) -> str:
    on = f" on {grant.resource}" if grant.resource else ""
    return on + (f" for {grant.principal}" if grant.principal else "")


def _conditions(grant: Grant, was: Grant | None) -> str:
    """Return under which condition, and which one was dropped since `was`."""
    now = f" if {' and '.join(sorted(grant.condition))}" if grant.condition else ""
    dropped = sorted(was.condition - grant.condition) if was else []
    return now + (f" (no longer only if {' and '.join(dropped)})" if dropped else "")
