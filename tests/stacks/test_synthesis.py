"""Synthesis itself: the same bytes each time, nothing asked, accepted by cfn-lint."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from config.settings import load_settings
from tests.conftest import ROOT, Templates, synthesize
from tests.templates import strings


def files(folder: Path) -> dict[str, bytes]:
    """Return every file of an assembly, assets included."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("environment", ["local", "prod"])
def test_two_synths_give_the_same_bytes(environment: str, tmp_path: Path) -> None:
    settings = load_settings(environment)
    synthesize(settings, tmp_path / "one")
    synthesize(settings, tmp_path / "two")
    one, two = files(tmp_path / "one"), files(tmp_path / "two")
    assert set(one) == set(two)
    assert [name for name in one if one[name] != two[name]] == []


def test_synth_has_nothing_to_look_up(
    assemblies: Callable[[str], Templates], tmp_path: Path
) -> None:
    synthesize(load_settings("local"), tmp_path / "assembly")
    manifest = json.loads((tmp_path / "assembly" / "manifest.json").read_text("utf-8"))
    assert manifest.get("missing", []) == []


def test_no_machine_path_and_no_analytics_reach_a_template(templates: Templates) -> None:
    for name, template in templates.items():
        assert "CDKMetadata" not in template["Resources"], name
        for found in strings(template):
            assert str(ROOT) not in found, name


def test_a_function_is_python_or_it_does_not_exist(templates: Templates) -> None:
    """The embedded AWS runs Python, and CDK's own helpers would be Node.js."""
    for name, template in templates.items():
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::Lambda::Function":
                assert resource["Properties"]["Runtime"].startswith("python"), name


def test_cfn_lint_accepts_every_template(
    environment: str, templates: Templates, tmp_path: Path
) -> None:
    for name, template in templates.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(template), "utf-8")
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "cfn-lint"),
            "--",
            *(str(path) for path in sorted(tmp_path.glob("*.json"))),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
