"""The API's database migrations, read as text: which there are, and which forbid a rollback.

A migration says `forbids_rollback = True` in its class when the code before it cannot work with
the database after it (docs/adr/0013). Nothing is imported: the API's code stays the API's.
"""

from __future__ import annotations

import ast
from pathlib import Path

from ops.errors import OperatorError

PLACE = Path("worker_images") / "api" / "migrations"
ATTRIBUTE = "forbids_rollback"


def migrations(root: Path) -> dict[str, bool]:
    """Return every migration below a checkout, sorted, and whether it forbids a rollback."""
    files = sorted((root / PLACE).glob("[0-9]*.py"))
    return {file.stem: bool(declared(file)) for file in files}


def declared(file: Path) -> bool | None:
    """Return what a migration says of rollbacks, None when it does not say.

    Raises: OperatorError when it says something else than True or False.
    """
    for node in ast.walk(ast.parse(file.read_text("utf-8"), file.name)):
        if isinstance(node, ast.ClassDef) and node.name == "Migration":
            for statement in node.body:
                if _names_it(statement):
                    return _said(statement, file)
    return None


def _names_it(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Assign):
        return ast.unparse(statement.targets[0]) == ATTRIBUTE
    return isinstance(statement, ast.AnnAssign) and ast.unparse(statement.target) == ATTRIBUTE


def _said(statement: ast.stmt, file: Path) -> bool:
    value = getattr(statement, "value", None)
    if isinstance(value, ast.Constant) and isinstance(value.value, bool):
        return value.value
    raise OperatorError(f"{file}:{statement.lineno}: {ATTRIBUTE} must be True or False")
