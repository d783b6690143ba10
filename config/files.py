"""The YAML files: read strictly, merged deeply, and asked which of them a key came from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

BASE = "base.yaml"


class FileError(ValueError):
    """A file that cannot be read as one mapping; the message is one line and names it."""


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice in one mapping: YAML would keep the last, silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                line = key_node.start_mark.line + 1
                raise FileError(f"line {line}: key '{key}' stands twice; allowed: once")
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def read(path: Path) -> dict[str, Any]:
    """Return a YAML file's mapping. Raises: FileError naming the file, and the line if known."""
    try:
        content = yaml.load(path.read_text("utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except FileError as error:
        raise FileError(f"{path}: {error}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise FileError(f"{path}: line {line}: not YAML: {error.problem}") from error
    if not isinstance(content, dict):
        raise FileError(f"{path}: holds {type(content).__name__}; allowed: a mapping of settings")
    return content


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `over` on top: mappings key by key, everything else as a whole."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(below, value) if both else value  # type: ignore[arg-type]
    return merged


def sets(data: Any, key: tuple[str | int, ...]) -> bool:
    """Return whether a file's own data reaches a key, or replaces something above it."""
    for part in key:
        if isinstance(data, Mapping):
            if part not in data:
                return False
            data = data[part]
        elif isinstance(data, list) and isinstance(part, int):
            return True
        else:
            return True
    return True
