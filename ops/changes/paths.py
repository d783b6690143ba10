"""How a resource is called for a person: by the path of its construct."""

from __future__ import annotations

from ops.changes.model import Key, Template

_PATH = "aws:cdk:path"
_PLAIN = frozenset({"Resource", "Default"})


def cdk_path(resource: Template) -> str | None:
    """Return the path that the CDK CLI writes; None where a template was made without it."""
    path: str | None = resource.get("Metadata", {}).get(_PATH)
    return path


def construct_path(key: Key, resource: Template) -> str:
    """Return the path below the stack, without a last `Resource`; else the logical id."""
    path = cdk_path(resource)
    parts = path.split("/")[1:] if path else []
    shown = parts[:-1] if parts and parts[-1] in _PLAIN else parts
    return "/".join(shown) or key[1]
