"""Which properties replace a resource, as its provider's schema says; read from cfn-lint's data.

The files are read directly: cfn-lint's own manager takes half a second to import, and goes to the
network when it finds none. https://github.com/aws-cloudformation/cfn-lint
"""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from config.contracts.names import REGION
from ops.errors import OperatorError

_CUSTOM = "AWS::CloudFormation::CustomResource"


@dataclass(frozen=True)
class Replacing:
    """The properties, as paths below `Properties`, whose change replaces a resource.

    `*` in a path stands for each item of a list. `conditional` ones replace it only where the
    service cannot change them in place. `whole` is True for what cannot be updated at all.
    """

    always: tuple[tuple[str, ...], ...]
    conditional: tuple[tuple[str, ...], ...]
    whole: bool = False


@cache
def replacing(type_name: str) -> Replacing | None:
    """Return what replaces a type; None for a type without a schema.

    Raises: OperatorError when cfn-lint, which carries the schemas, is not installed.
    """
    known = _types()
    name = _CUSTOM if type_name.startswith("Custom::") else type_name
    if name not in known:
        return None
    schema = json.loads((_folder() / "resources" / f"{known[name]}.json").read_text("utf-8"))
    handlers = schema.get("handlers")
    return Replacing(
        always=_paths(schema, "createOnlyProperties"),
        conditional=_paths(schema, "conditionalCreateOnlyProperties"),
        whole=bool(handlers) and "update" not in handlers,
    )


def _paths(schema: dict[str, Any], key: str) -> tuple[tuple[str, ...], ...]:
    """Return the JSON pointers of a schema's list, without their leading `/properties`."""
    return tuple(tuple(pointer.split("/")[2:]) for pointer in schema.get(key, ()))


@cache
def _types() -> dict[str, str]:
    """Return the schema file's name of every resource type of the platform's region."""
    file = _folder() / "providers" / f"{REGION}.json"
    known: dict[str, str] = json.loads(file.read_text("utf-8"))
    return known


@cache
def _folder() -> Path:
    found = importlib.util.find_spec("cfnlint")
    if found is None or found.origin is None:
        raise OperatorError("cfn-lint, which carries the resource schemas, is not installed")
    return Path(found.origin).parent / "data" / "schemas"
