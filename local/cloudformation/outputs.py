"""Outputs and exports of a stack."""

from __future__ import annotations

from collections.abc import Mapping

from local.cloudformation.errors import DeploymentError
from local.cloudformation.functions import text
from local.cloudformation.intrinsics import Resolver, unknown_in
from local.cloudformation.model import Output, Stack
from local.cloudformation.store import Store
from local.cloudformation.template import Template

UNKNOWN = "{{changeSet:KNOWN_AFTER_APPLY}}"


def resolve(template: Template, resolver: Resolver) -> dict[str, Output]:
    """Return the outputs whose condition holds; values not known yet read UNKNOWN.

    Raises: DeploymentError for an output that does not resolve.
    """
    found = {}
    for key, entry in template.outputs.items():
        if "Condition" in entry and not resolver.condition(entry["Condition"]):
            continue
        value = resolver.resolve(entry.get("Value"))
        export = resolver.resolve(entry.get("Export", {}).get("Name"))
        found[key] = Output(
            key=key,
            value=UNKNOWN if unknown_in(value) else _text(key, value),
            description=entry.get("Description", ""),
            export=None if export is None else UNKNOWN if unknown_in(export) else text(export),
        )
    return found


def refuse_conflicts(store: Store, stack: Stack, outputs: Mapping[str, Output]) -> None:
    """Raise DeploymentError when an export is another stack's, or one in use would change."""
    values = {output.export: output.value for output in outputs.values() if output.export}
    for name, (owner, output) in store.exports().items():
        if owner is not stack:
            if name in values:
                raise DeploymentError(
                    f"Export with name {name} is already exported by stack {owner.name}."
                )
            continue
        importers = store.importers(name)
        if importers and name not in values:
            raise DeploymentError(
                f"Export {name} cannot be deleted as it is in use by {', '.join(importers)}"
            )
        if importers and values[name] != output.value:
            raise DeploymentError(
                f"Cannot update export {name} as it is in use by {', '.join(importers)}"
            )


def _text(key: str, value: object) -> str:
    try:
        return text(value)
    except DeploymentError as error:
        raise DeploymentError(f"Output {key}: {error}") from error
