"""Settings of one environment: `load_settings("prod")` reads, merges and checks the YAML files.

Every error is one line: file, dotted key, value, and what is allowed there.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.checks import problems
from config.files import BASE, FileError, merge, read, sets
from config.model_storage import Storage
from config.model_workers import Rung, Worker
from config.models import Api, Queue, Settings
from config.problem import Key, Problem
from config.schema_text import describe, keys_of, schema_at

__all__ = ["Api", "Queue", "Rung", "Settings", "SettingsError", "Storage", "Worker"]
__all__ += ["DIRECTORY", "environments", "load_settings", "release_tag"]

DIRECTORY = Path(__file__).parent / "environments"
SIZES = Path(__file__).parent / "sizes"
#: https://docs.docker.com/reference/cli/docker/image/tag/
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_ROOT = Path(__file__).parent.parent


class SettingsError(ValueError):
    """Wrong configuration; one line says file, key, value and what is allowed."""


def environments(directory: Path = DIRECTORY) -> list[str]:
    """Return the environments that have a file, sorted."""
    return sorted(path.stem for path in directory.glob("*.yaml") if path.name != BASE)


def release_tag(given: object) -> str:
    """Return the images' tag given as `-c image_tag=`. Raises: SettingsError if unusable."""
    if not isinstance(given, str) or not re.fullmatch(_TAG, given) or given == "latest":
        shown = "missing" if given is None else f"{given!r} is not allowed"
        raise SettingsError(
            f"command line: image_tag: {shown}; allowed: -c image_tag=<commit or content hash>, "
            f"matching {_TAG}, not 'latest'"
        )
    return given


def load_settings(
    environment: str | None,
    *,
    users_per_day: int | str | None = None,
    directory: Path = DIRECTORY,
) -> Settings:
    """Return the settings of an environment: `base.yaml`, its size's file, its own file on top.

    `users_per_day` asks for another size than the environment's own, as `500` or `"500"`.

    Raises: SettingsError for an unknown environment, an unreadable file, an unknown or missing
    key, a value out of its range, or values that contradict each other.
    """
    known = environments(directory)
    if environment is None or environment not in known:
        shown = f"'{environment}' is unknown" if environment else "missing"
        raise SettingsError(
            f"{_shown(directory)}: environment (-c env=): {shown}; "
            f"allowed: {', '.join(known)}{_nearest(environment or '', known)}"
        )
    path = directory / f"{environment}.yaml"
    try:
        files = [(directory / BASE, read(directory / BASE)), (path, read(path))]
        size = users_per_day or merge(files[0][1], files[1][1]).get("users_per_day")
        if (sized := SIZES / f"{size}.yaml").is_file():
            files.insert(1, (sized, read(sized)))
    except FileError as error:
        raise SettingsError(str(error).replace(f"{_ROOT}/", "")) from error
    merged: dict[str, Any] = {}
    for _, content in files:
        merged = merge(merged, content)
    merged.setdefault("environment", environment)
    if users_per_day:
        asked = str(users_per_day)
        merged["users_per_day"] = int(asked) if asked.isdecimal() else asked
    found = _validated(merged, environment)
    if isinstance(found, Settings):
        return found
    # The last file that sets what is wrong; a missing key belongs into the environment's.
    first = found[0]
    blamed = next((at for at, content in reversed(files) if sets(content, first.key)), path)
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    raise SettingsError(f"{_shown(blamed)}: {_sentence(first)}{more}")


_MISSING = object()


def _validated(data: dict[str, Any], environment: str) -> Settings | list[Problem]:
    """Return the settings, or what is wrong with them, at least one problem."""
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        return [_problem(data, dict(item)) for item in error.errors()]
    found = list(problems(settings))
    if settings.environment != environment:
        found.insert(0, Problem(("environment",), settings.environment, f"'{environment}'"))
    return found or settings


def _problem(data: dict[str, Any], error: dict[str, Any]) -> Problem:
    """Translate one pydantic error, with the allowed values of the key's schema."""
    root = Settings.model_json_schema()
    key = tuple(part for part in error["loc"] if part != "[key]")
    parent = schema_at(root, key[:-1])
    schema = schema_at(root, key)
    if schema is None:
        allowed = keys_of(parent) if parent else []
        text = ", ".join(allowed) + _nearest(str(key[-1]), allowed)
        return Problem(key, _Unknown(), text)
    value = _MISSING if error["type"] == "missing" else _value(data, key)
    return Problem(key, value, describe(root, schema))


class _Unknown:
    """Marks a key that no model knows."""


def _sentence(problem: Problem) -> str:
    key = ".".join(str(part) for part in problem.key)
    if isinstance(problem.value, _Unknown):
        return f"{key}: unknown key; allowed: {problem.allowed}"
    if problem.value is _MISSING:
        return f"{key}: missing; allowed: {problem.allowed}"
    shown = "null" if problem.value is None else repr(problem.value)
    return f"{key}: {shown} is not allowed; allowed: {problem.allowed}"


def _value(data: Any, key: Key) -> object:
    for part in key:
        data = data[part]
    return data


def _nearest(word: str, allowed: list[str]) -> str:
    near = get_close_matches(word, allowed, n=1, cutoff=0.5)
    return f" (did you mean '{near[0]}'?)" if near else ""


def _shown(path: Path) -> str:
    return str(path.relative_to(_ROOT)) if path.is_relative_to(_ROOT) else str(path)
