"""Migrations: every one that may lose something says whether it forbids a rollback."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from ops.errors import OperatorError
from ops.releases.migrations import PLACE, declared, migrations

ROOT = Path(__file__).parents[3]
#: Operations after which the code before may not work, or not find what it wrote.
LOSSY = frozenset(
    {
        "AlterField",
        "AlterModelTable",
        "DeleteModel",
        "RemoveField",
        "RenameField",
        "RenameModel",
        "RunPython",
        "RunSQL",
        "AddConstraint",
    }
)
MIGRATION = """
from django.db import migrations

class Migration(migrations.Migration):
    {declaration}
    operations = [migrations.{operation}("job", "note")]
"""


def undeclared(file: Path) -> list[str]:
    """Return the lossy operations of a migration that does not say what they forbid."""
    if declared(file) is not None:
        return []
    calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    names = {ast.unparse(call.func).rpartition(".")[2] for call in calls}
    return sorted(names & LOSSY)


def written(tmp_path: Path, declaration: str, operation: str = "RemoveField") -> Path:
    place = tmp_path / PLACE
    place.mkdir(parents=True, exist_ok=True)
    file = place / "0002_change.py"
    file.write_text(MIGRATION.format(declaration=declaration, operation=operation))
    return file


def test_every_migration_that_may_lose_something_says_whether_it_forbids_a_rollback() -> None:
    files = sorted((ROOT / PLACE).glob("[0-9]*.py"))
    assert files
    silent = {file.name: found for file in files if (found := undeclared(file))}
    assert not silent, f"say forbids_rollback = True or False in the class: {silent}"


def test_a_lossy_migration_without_a_word_is_found(tmp_path: Path) -> None:
    assert undeclared(written(tmp_path, "pass")) == ["RemoveField"]
    assert undeclared(written(tmp_path, "forbids_rollback = False")) == []
    assert undeclared(written(tmp_path, "pass", "AddField")) == []


@pytest.mark.parametrize(
    ("declaration", "expected"),
    [
        ("forbids_rollback = True", True),
        ("forbids_rollback: bool = True", True),
        ("forbids_rollback = False", False),
        ("initial = True", False),
    ],
)
def test_a_checkout_tells_which_migrations_forbid_a_rollback(
    tmp_path: Path, declaration: str, expected: bool
) -> None:
    written(tmp_path, declaration)
    (tmp_path / PLACE / "__init__.py").write_text("")
    assert migrations(tmp_path) == {"0002_change": expected}


@pytest.mark.parametrize("declaration", ["forbids_rollback = 1", "forbids_rollback: bool"])
def test_anything_but_true_and_false_is_an_error_with_its_place(
    tmp_path: Path, declaration: str
) -> None:
    written(tmp_path, declaration)
    with pytest.raises(OperatorError, match=r"0002_change.py:5: forbids_rollback must be"):
        migrations(tmp_path)


def test_our_own_migrations_are_read() -> None:
    assert migrations(ROOT)["0001_initial"] is False
