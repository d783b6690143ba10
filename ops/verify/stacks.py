"""Are the stacks complete?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ops import aws, facts
from ops.changes import Templates, compare
from ops.changes.assembly import deployed
from ops.changes.model import Template
from ops.findings import Finding
from ops.verify.context import Context

GOOD = frozenset(
    {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "IMPORT_COMPLETE"}
)
#: An update failed and was undone. The older template deploys without a change, and this stays.
UNDONE = "UPDATE_ROLLBACK_COMPLETE"


def ask(context: Context) -> list[Finding]:
    """Ask CloudFormation for the state of every stack of the assembly."""
    expected = context.assembly.stacks
    found = facts.stacks_named(context.settings, expected)
    undone = [stack.name for stack in found if stack.status == UNDONE]
    runs: dict[str, Template] = {}
    for name in undone:
        runs |= deployed(aws.cloudformation(context.settings, name), [name])
    whole = {name for name in runs if not compare({name: runs[name]}, _wanted(context, name))}
    return decide(expected, {stack.name: stack.status for stack in found}, whole)


def decide(
    expected: Sequence[str], known: Mapping[str, str], whole: Collection[str]
) -> list[Finding]:
    """Return a finding for each stack that is not complete, else one for all.

    `whole` are the stacks whose last update was undone, and which run the wanted template.
    """
    bad = [
        Finding(
            f"stack {name}",
            f"its state is {known.get(name, 'none: it does not exist')}",
            "read its events (aws cloudformation describe-stack-events) and deploy again",
        )
        for name in expected
        if known.get(name) not in GOOD and not (known.get(name) == UNDONE and name in whole)
    ]
    return bad or [Finding(f"{len(expected)} stacks are complete")]


def _wanted(context: Context, name: str) -> Templates:
    return {name: context.assembly.template(name)}
