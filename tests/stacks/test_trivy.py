"""Trivy's HIGH and CRITICAL findings: each is accepted with a reason, and still occurs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from config.settings import environments
from tests.conftest import ROOT, Templates

IGNORED = yaml.safe_load((ROOT / ".trivyignore.yaml").read_text("utf-8"))["misconfigurations"]


@pytest.fixture(scope="module")
def found(
    assemblies: Callable[[str], Templates], tmp_path_factory: pytest.TempPathFactory
) -> set[tuple[str, str]]:
    """Return rule and file of every finding in every environment, as if none were accepted.

    In one folder: Trivy passes over one that is called `dev`.
    """
    folder = tmp_path_factory.mktemp("trivy")
    for environment in environments():
        for role, template in assemblies(environment).items():
            path = folder / f"academy-{environment}-{role}.template.json"
            path.write_text(json.dumps(template), "utf-8")
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "trivy"),
            "config",
            "--quiet",
            "--skip-check-update",
            "--skip-version-check",
            "--disable-telemetry",
            "--severity=HIGH,CRITICAL",
            "--format=json",
            str(folder),
        ],
        cwd=folder,
        capture_output=True,
        check=True,
    )
    return {
        (finding["ID"], result["Target"])
        for result in json.loads(done.stdout)["Results"]
        for finding in result.get("Misconfigurations", ())
    }


def test_everything_that_trivy_finds_is_accepted(found: set[tuple[str, str]]) -> None:
    assert {
        (rule, path)
        for rule, path in found
        if not any(
            rule == each["id"] and any(fnmatch(path, pattern) for pattern in each["paths"])
            for each in IGNORED
        )
    } == set()


@pytest.mark.parametrize("ignored", IGNORED, ids=lambda ignored: ignored["id"])
def test_what_is_accepted_still_occurs_in_each_of_its_files(
    ignored: dict[str, str], found: set[tuple[str, str]]
) -> None:
    paths = [path for rule, path in found if rule == ignored["id"]]
    assert [
        pattern for pattern in ignored["paths"] if not any(fnmatch(path, pattern) for path in paths)
    ] == []
    assert len(ignored["statement"].split()) > 4
