"""Whether an assembly stands for its inputs: every change of one is noticed, nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops import inputs


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in inputs.SOURCES:
        if "." in name:
            (tmp_path / name).write_text(name)
        else:
            (tmp_path / name / "inner").mkdir(parents=True)
            (tmp_path / name / "inner" / "module.py").write_text(name)
    return tmp_path


@pytest.mark.parametrize("name", inputs.SOURCES)
def test_a_changed_input_changes_the_fingerprint(root: Path, name: str) -> None:
    before = inputs.fingerprint(root, "local", "tag")
    path = root / name if "." in name else root / name / "inner" / "module.py"
    path.write_text(path.read_text() + "#")
    assert inputs.fingerprint(root, "local", "tag") != before


def test_environment_tag_size_and_new_files_change_the_fingerprint(root: Path) -> None:
    found = {inputs.fingerprint(root, "local", "tag")}
    found.add(inputs.fingerprint(root, "dev", "tag"))
    found.add(inputs.fingerprint(root, "local", "tag2"))
    found.add(inputs.fingerprint(root, "local", "tag", 10000))
    (root / "lambdas" / "new.py").touch()
    found.add(inputs.fingerprint(root, "local", "tag"))
    assert len(found) == 5


def test_bytecode_and_other_files_do_not_count(root: Path) -> None:
    before = inputs.fingerprint(root, "local", "tag")
    (root / "stacks" / "__pycache__").mkdir()
    (root / "stacks" / "__pycache__" / "module.pyc").write_text("x")
    (root / "README.md").write_text("x")
    assert inputs.fingerprint(root, "local", "tag") == before


def test_an_assembly_is_current_only_when_complete_and_stamped(tmp_path: Path) -> None:
    assembly = tmp_path / "local"
    assembly.mkdir()
    assert not inputs.is_current(assembly, "abc")
    inputs.stamp_of(assembly).write_text("abc")
    assert not inputs.is_current(assembly, "abc"), "without its manifest it is half written"
    (assembly / "manifest.json").touch()
    assert inputs.is_current(assembly, "abc")
    assert not inputs.is_current(assembly, "abd")
