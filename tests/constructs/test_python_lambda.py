"""What a function's zip holds, and what changes its hash."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from stacks.constructs.python_lambda import ROOT, stage


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """Return a copy of what functions are packed from."""
    copy = tmp_path / "repo"
    for name in ("lambdas", "config"):
        shutil.copytree(ROOT / name, copy / name)
    return copy


def packed(repo: Path, tmp_path: Path, name: str = "out") -> tuple[str, set[str]]:
    """Return hash and files of the metric function packed from a copy."""
    target = tmp_path / name
    digest = stage("queue_depth_metric", target, root=repo)
    return digest, {str(p.relative_to(target)) for p in target.rglob("*") if p.is_file()}


def test_the_zip_holds_the_package_and_the_contracts_alone(repo: Path, tmp_path: Path) -> None:
    _, files = packed(repo, tmp_path)
    assert "lambdas/queue_depth_metric/handler.py" in files
    assert "config/contracts/metrics.py" in files
    assert {"lambdas/__init__.py", "config/__init__.py"} <= files
    assert not any("settings" in name or "__pycache__" in name for name in files)
    assert not any(name.startswith("lambdas/r2") for name in files)


def test_an_edit_of_the_shared_contracts_changes_the_hash(repo: Path, tmp_path: Path) -> None:
    before, _ = packed(repo, tmp_path, "before")
    with (repo / "config/contracts/metrics.py").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert packed(repo, tmp_path, "after")[0] != before


def test_bytecode_times_and_permissions_do_not_change_the_hash(repo: Path, tmp_path: Path) -> None:
    before, _ = packed(repo, tmp_path, "before")
    handler = repo / "lambdas/queue_depth_metric/handler.py"
    handler.chmod(0o600)
    handler.touch()
    cache = handler.parent / "__pycache__"
    cache.mkdir(exist_ok=True)
    (cache / "x.pyc").write_bytes(b"x")
    assert packed(repo, tmp_path, "after")[0] == before


def test_a_function_without_a_handler_is_refused_by_name(repo: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no handler for function 'nothing'"):
        stage("nothing", tmp_path, root=repo)
