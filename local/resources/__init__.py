"""The resource types that the embedded AWS has: every module here lists its HANDLERS."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from local.resources.base import ResourceHandler, UnsupportedTypeError


@cache
def handlers() -> Mapping[str, ResourceHandler]:
    """Return the handlers by type, from the HANDLERS of every module of this package.

    Raises: ValueError when two modules claim a type.
    """
    found: dict[str, ResourceHandler] = {}
    for entry in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{entry.name}")
        for handler in getattr(module, "HANDLERS", ()):
            if handler.type_name in found:
                raise ValueError(f"{handler.type_name} has two handlers; {entry.name} is one")
            found[handler.type_name] = handler
    return found


def handler_for(type_name: str) -> ResourceHandler:
    """Return the handler of a resource type; every custom resource has the same one.

    Raises: UnsupportedTypeError naming the type.
    """
    if type_name.startswith("Custom::"):
        type_name = "AWS::CloudFormation::CustomResource"
    try:
        return handlers()[type_name]
    except KeyError:
        raise UnsupportedTypeError(type_name) from None
