"""Synthesized templates as one set of resources, with references followed across stacks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.errors import OperatorError

#: Stack name and logical id.
Key = tuple[str, str]
_SUBSTITUTED = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.[A-Za-z0-9.]+)?\}")


@dataclass(frozen=True)
class Resource:
    """One resource of a template."""

    key: Key
    type_name: str
    properties: Mapping[str, Any]


class Templates:
    """All resources of an assembly."""

    def __init__(self, templates: Mapping[str, Mapping[str, Any]]) -> None:
        self.resources = {
            (stack, logical): Resource((stack, logical), body["Type"], body.get("Properties", {}))
            for stack, template in sorted(templates.items())
            for logical, body in template.get("Resources", {}).items()
        }
        self._exports = {
            output["Export"]["Name"]: (stack, output["Value"])
            for stack, template in templates.items()
            for output in template.get("Outputs", {}).values()
            if "Export" in output
        }

    def of_type(self, *type_names: str) -> Iterator[Resource]:
        """Yield the resources of the given types, by stack and then as they stand there."""
        yield from (each for each in self.resources.values() if each.type_name in type_names)

    def references(self, stack: str, value: Any) -> set[Key]:
        """Return the resources that a value names: Ref, GetAtt, Sub, or through an import."""
        if isinstance(value, list):
            return {key for item in value for key in self.references(stack, item)}
        if not isinstance(value, dict):
            return set()
        found: set[Key] = set()
        for name, argument in value.items():
            if name == "Ref":
                found.add((stack, argument))
            elif name == "Fn::GetAtt":
                found.add((stack, argument[0]))
            elif name == "Fn::Sub":
                text = argument if isinstance(argument, str) else argument[0]
                found |= {(stack, logical) for logical in _SUBSTITUTED.findall(text)}
            elif name == "Fn::ImportValue" and argument in self._exports:
                found |= self.references(*self._exports[argument])
            else:
                found |= self.references(stack, argument)
        return {key for key in found if key in self.resources}


def load(assembly: Path) -> Templates:
    """Return the templates of a cloud assembly. Raises: OperatorError when there are none."""
    files = sorted(assembly.glob("*.template.json"))
    if not files:
        raise OperatorError(f"no templates in {assembly}", hint="run `make synth ENV=local`")
    return Templates(
        {
            path.name.removesuffix(".template.json"): json.loads(path.read_text("utf-8"))
            for path in files
        }
    )
