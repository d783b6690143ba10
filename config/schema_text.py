"""What a setting allows, in words, read from the models' own JSON schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_TYPES = {"integer": "a whole number", "string": "text", "boolean": "true or false", "null": "null"}


def schema_at(root: Schema, key: tuple[str | int, ...]) -> Schema | None:
    """Return the schema of a dotted key, or None where the models know no such key."""
    node = _resolve(root, root)
    for part in key:
        following = _child(node, part)
        if following is None:
            return None
        node = _resolve(root, following)
    return node


def keys_of(schema: Schema) -> list[str]:
    """Return the keys that a mapping allows, sorted; empty when it is no mapping."""
    for branch in (schema, *schema.get("anyOf", ())):
        if "properties" in branch:
            return sorted(branch["properties"])
        if "propertyNames" in branch:
            return sorted(branch["propertyNames"].get("enum", ()))
    return []


def describe(root: Schema, schema: Schema) -> str:
    """Return the allowed values or range of a schema in one phrase."""
    schema = _resolve(root, schema)
    if "anyOf" in schema:
        return " or ".join(describe(root, branch) for branch in schema["anyOf"])
    if values := schema.get("enum", [schema["const"]] if "const" in schema else None):
        return "one of " + ", ".join(str(value) for value in values)
    if keys := keys_of(schema):
        return "a mapping of " + ", ".join(keys)
    if "minimum" in schema or "maximum" in schema:
        step = f", a multiple of {schema['multipleOf']}" if "multipleOf" in schema else ""
        return f"{schema.get('minimum', '')} to {schema.get('maximum', '')}{step}"
    if schema.get("type") == "array":
        return _list(root, schema)
    text = _TYPES.get(schema.get("type", ""), "a value")
    return f"{text} matching {schema['pattern']}" if "pattern" in schema else text


def _list(root: Schema, schema: Schema) -> str:
    low, high = schema.get("minItems", 0), schema.get("maxItems")
    amount = f"{low} to {high}" if high else f"{low} or more"
    return f"a list of {amount}, each {describe(root, schema.get('items', {}))}"


def _child(node: Schema, part: str | int) -> Schema | None:
    for branch in (node, *node.get("anyOf", ())):
        if isinstance(part, int) and "items" in branch:
            return dict(branch["items"])
        if isinstance(part, str) and part in branch.get("properties", {}):
            return dict(branch["properties"][part])
        if isinstance(part, str) and part in branch.get("propertyNames", {}).get("enum", ()):
            return dict(branch["additionalProperties"])
    return None


def _resolve(root: Schema, schema: Schema) -> Schema:
    """Follow references, inside a choice as well."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    if "anyOf" in schema:
        return {**schema, "anyOf": [_resolve(root, branch) for branch in schema["anyOf"]]}
    return schema
