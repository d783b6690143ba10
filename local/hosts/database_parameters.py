"""A parameter group's values as a file that PostgreSQL reads beside its own configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_FILE = "parameters.conf"
_INCLUDE = f"include_if_exists '{_FILE}'\n"


def write_parameters(data: Path, parameters: Mapping[str, str]) -> bool:
    """Write the parameters into a cluster's directory; return whether that changed anything.

    A running server takes over what it can when it reloads, the rest when it starts again, as RDS
    does. Others than us read the file: the server runs as a user of its own.
    """
    main, file = data / "postgresql.conf", data / _FILE
    if _INCLUDE not in main.read_text():
        with main.open("a") as configuration:
            configuration.write(_INCLUDE)
    content = "".join(f"{name} = {_quoted(parameters[name])}\n" for name in sorted(parameters))
    if file.exists() and file.read_text() == content:
        return False
    file.write_text(content)
    file.chmod(0o644)
    return True


def _quoted(value: str) -> str:
    """https://www.postgresql.org/docs/16/config-setting.html#CONFIG-SETTING-CONFIGURATION-FILE"""
    return "'" + value.replace("'", "''") + "'"
