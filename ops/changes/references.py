"""References of templates followed across stacks: what a value names, who imports an export."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from ops.changes.model import Key, Template, Templates

#: What an import is replaced by, so that the same target reads the same under another export name.
IMPORTED = "Imported"
_SUBSTITUTED = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.[A-Za-z0-9.]+)?\}")


class Exports:
    """The exports of a set of templates, and the stacks that import them."""

    def __init__(self, templates: Templates) -> None:
        self.values: dict[str, tuple[str, Any]] = {
            export: (stack, output["Value"])
            for stack, template in templates.items()
            for output in template.get("Outputs", {}).values()
            if (export := export_name(output))
        }
        self.outputs = {
            (stack, name): output["Value"]
            for stack, template in templates.items()
            for name, output in template.get("Outputs", {}).items()
        }
        self.importers: dict[str, set[str]] = defaultdict(set)
        for stack, template in templates.items():
            for name in imports(template):
                self.importers[name].add(stack)

    def exported(self, name: str) -> tuple[str, Any]:
        """Return the stack of an export, and its value with imports resolved."""
        stack, value = self.values[name]
        return stack, self.resolve(value)

    def resolve(self, value: Any) -> Any:
        """Return a value with each import replaced by the stack and the value that it names."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        found = self._target(value)
        if found is not None:
            stack, target = found
            return {IMPORTED: [stack, self.resolve(target)]}
        return {key: self.resolve(item) for key, item in value.items()}

    def _target(self, value: dict[str, Any]) -> tuple[str, Any] | None:
        """Return the stack and the value that a function reads from another stack."""
        if isinstance(name := value.get("Fn::ImportValue"), str):
            return self.values.get(name)
        key = _output_read(value)
        return (key[0], self.outputs[key]) if key and key in self.outputs else None

    def offer(self, value: Any) -> bool:
        """Tell whether all that a value reads from other stacks is there."""
        if isinstance(value, list):
            return all(self.offer(item) for item in value)
        if not isinstance(value, dict):
            return True
        if "Fn::ImportValue" in value or _output_read(value):
            return self._target(value) is not None
        return all(self.offer(item) for item in value.values())


def _output_read(value: dict[str, Any]) -> tuple[str, str] | None:
    """Return the stack and the output that a Fn::GetStackOutput reads."""
    output = value.get("Fn::GetStackOutput")
    return (str(output["StackName"]), str(output["OutputName"])) if output else None


def export_name(output: Template) -> str | None:
    """Return the export's name of an output, None when it has none or a computed one."""
    name = output.get("Export", {}).get("Name")
    return name if isinstance(name, str) else None


def imports(value: Any) -> Iterator[str]:
    """Yield the name of every export that a value imports."""
    if isinstance(value, list):
        for item in value:
            yield from imports(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "Fn::ImportValue" and isinstance(item, str):
                yield item
            else:
                yield from imports(item)


def references(stack: str, value: Any) -> Iterator[Key]:
    """Yield the resources that a resolved value names: Ref, GetAtt, Sub, or through an import."""
    if isinstance(value, list):
        for item in value:
            yield from references(stack, item)
    elif isinstance(value, dict):
        for name, argument in value.items():
            if name == "Ref":
                yield stack, argument
            elif name == "Fn::GetAtt":
                yield stack, argument.split(".")[0] if isinstance(argument, str) else argument[0]
            elif name == "Fn::Sub":
                text = argument if isinstance(argument, str) else argument[0]
                yield from ((stack, logical) for logical in _SUBSTITUTED.findall(text))
                yield from references(stack, argument[1:] if isinstance(argument, list) else [])
            elif name == IMPORTED:
                yield from references(*argument)
            else:
                yield from references(stack, argument)
