"""Assemblies of real environments: packed, unpacked, composed, digested, checked."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.contracts.statefulness import STATEFUL
from config.settings import load_settings
from ops.changes import compare
from ops.checks import require_safe
from ops.checks.templates import require_clean
from ops.errors import OperatorError, UsageError
from ops.releases import archive
from ops.releases.assemblies import Assembly
from ops.releases.composition import with_stack
from ops.releases.images import images
from tests.conftest import IMAGE_TAG, synthesize


@pytest.fixture(scope="module", params=["dev", "prod"])
def assembly(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    directory = tmp_path_factory.mktemp(f"release-{request.param}")
    synthesize(load_settings(request.param), directory)
    return Assembly(directory)


@pytest.fixture
def changed(assembly: Assembly, tmp_path: Path) -> Callable[..., Assembly]:
    """Return a function that copies the assembly with an edit of one stack's template."""

    def make(role: str, edit: Callable[[dict[str, Any]], None]) -> Assembly:
        directory = tmp_path / "changed"
        shutil.copytree(assembly.directory, directory)
        path = directory / f"{stack(assembly, role)}.template.json"
        template = json.loads(path.read_text())
        edit(template["Resources"])
        path.write_text(json.dumps(template))
        return Assembly(directory)

    return make


def stack(assembly: Assembly, role: str) -> str:
    [found] = [name for name in assembly.stacks if name.endswith(f"-{role}")]
    return found


def add_a_ledger(resources: dict[str, Any]) -> None:
    resources["Ledger"] = {"Type": "AWS::SQS::Queue", "Metadata": {STATEFUL: "payments"}}


def test_the_images_of_every_runtime_are_found_in_the_templates(assembly: Assembly) -> None:
    found = images(assembly.templates().values())
    assert f"academy-api:{IMAGE_TAG}" in found
    assert f"academy-video-worker:{IMAGE_TAG}" in found


def test_packing_twice_gives_the_same_bytes_wherever_the_assembly_lies(
    assembly: Assembly, tmp_path: Path
) -> None:
    shutil.copytree(assembly.directory, tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / ".cache").mkdir()
    (tmp_path / "elsewhere" / ".cache" / "left-by-a-deploy.zip").write_text("x")
    assert archive.pack(Assembly(tmp_path / "elsewhere")) == archive.pack(assembly)


def test_what_is_unpacked_deploys_the_same(assembly: Assembly, tmp_path: Path) -> None:
    unpacked = archive.unpack(archive.pack(assembly), tmp_path / "unpacked")
    assert unpacked.digests() == assembly.digests()
    assert unpacked.templates() == assembly.templates()
    assert unpacked.all_files() == assembly.all_files()
    assert archive.pack(unpacked) == archive.pack(assembly)


def test_a_changed_template_changes_the_digest_of_its_stack_alone(
    assembly: Assembly, changed: Callable[..., Assembly]
) -> None:
    other = changed("queues", add_a_ledger)
    differing = {name for name in assembly.stacks if other.digest(name) != assembly.digest(name)}
    assert differing == {stack(assembly, "queues")}


def test_a_composed_assembly_has_one_stack_of_the_other_and_is_whole(
    assembly: Assembly, changed: Callable[..., Assembly], tmp_path: Path
) -> None:
    other = changed("queues", add_a_ledger)
    composed = with_stack(assembly, other, stack(assembly, "queues"), tmp_path / "composed")
    assert composed.digests() == other.digests()
    assert composed.all_files() == assembly.all_files()
    back = with_stack(composed, assembly, stack(assembly, "queues"), tmp_path / "back")
    assert archive.pack(back) == archive.pack(assembly)


def test_a_stack_that_is_not_there_cannot_be_taken(assembly: Assembly, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="academy-dev-nothing is not in that assembly"):
        with_stack(assembly, assembly, "academy-dev-nothing", tmp_path / "composed")


def test_a_directory_without_an_assembly_says_so(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="no whole cloud assembly"):
        _ = Assembly(tmp_path).stacks


def test_the_same_assembly_is_safe_to_deploy_again(assembly: Assembly) -> None:
    found = compare(assembly.templates(), assembly.templates())
    assert not found
    assert require_safe(found, accepted=()) == []


def test_data_goes_only_when_its_resource_is_named(
    assembly: Assembly, changed: Callable[..., Assembly]
) -> None:
    found = compare(changed("queues", add_a_ledger).templates(), assembly.templates())
    with pytest.raises(OperatorError, match=r"Ledger.*payments.*--accept Ledger"):
        require_safe(found, accepted=())
    with pytest.raises(UsageError, match="allowed: Ledger"):
        require_safe(found, accepted=["Legder"])
    [accepted] = require_safe(found, accepted=["Ledger"])
    assert accepted.ok
    with pytest.raises(OperatorError) as refused:
        require_safe(found, accepted=None)
    assert "--accept" not in str(refused.value)


def test_a_template_that_cfn_lint_refuses_is_not_deployed(
    assembly: Assembly, changed: Callable[..., Assembly]
) -> None:
    bad = changed("queues", lambda made: made.update(Wrong={"Type": "AWS::SQS::Qeue"}))
    found = compare(assembly.templates(), bad.templates())
    with pytest.raises(OperatorError, match=r"queues\.template\.json.*E3006.*AWS::SQS::Qeue"):
        require_clean(found, bad)


def test_templates_that_stay_are_not_linted(
    assembly: Assembly, changed: Callable[..., Assembly]
) -> None:
    bad = changed("queues", lambda made: made.update(Wrong={"Type": "AWS::SQS::Qeue"}))
    assert require_clean(compare(bad.templates(), bad.templates()), bad) == 0
    assert require_clean(compare({}, assembly.templates()), assembly) == len(assembly.stacks)
