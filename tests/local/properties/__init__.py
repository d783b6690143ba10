"""What exists in the embedded AWS, read back type by type through boto3 alone.

A reader is independent of the handlers: it sees a physical id and the describe calls, and returns
the resource's properties in CloudFormation's spelling.
"""

from __future__ import annotations

import importlib
import pkgutil

from tests.local.properties.reader import Reader


def readers() -> dict[str, Reader]:
    """Return the readers by type, from the READERS of every module of this package."""
    found: dict[str, Reader] = {}
    for entry in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{entry.name}")
        for reader in getattr(module, "READERS", ()):
            assert reader.type_name not in found, f"{reader.type_name} has two readers"
            found[reader.type_name] = reader
    return found
