"""The last release upgraded to the working tree: no data is lost, no export in use goes away."""

from __future__ import annotations

import copy
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.contracts.statefulness import STATEFUL
from ops.changes import Kind, Templates, compare, unsafe
from ops.places import stack_prefix
from tests.stacks.released import ReleaseMissingError, released_templates, unpack

#: Types that hold data whatever they are for: an expectation, not what protects them.
DATA_TYPES = frozenset(
    {
        "AWS::Backup::BackupVault",
        "AWS::Cognito::UserPool",
        "AWS::DynamoDB::Table",
        "AWS::EC2::Volume",
        "AWS::ECR::Repository",
        "AWS::EFS::FileSystem",
        "AWS::ElastiCache::CacheCluster",
        "AWS::ElastiCache::ReplicationGroup",
        "AWS::ElastiCache::ServerlessCache",
        "AWS::KMS::Key",
        "AWS::RDS::DBCluster",
        "AWS::RDS::DBInstance",
        "AWS::S3::Bucket",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
        "AWS::SecretsManager::Secret",
    }
)
AUTHOR = ("-c", "user.name=tests", "-c", "user.email=tests@localhost")
Json = dict[str, Any]


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Templates]:
    """Return the templates of the last release, by environment.

    Without that commit there is nothing to compare: our workflow clones the whole history.
    """
    try:
        return released_templates(tmp_path_factory.mktemp("released"))
    except ReleaseMissingError as missing:
        pytest.skip(str(missing))


def by_name(environment: str, templates: Templates) -> Json:
    """Return a copy of templates by role as templates by stack name."""
    return copy.deepcopy({stack_prefix(environment) + role: t for role, t in templates.items()})


def test_an_upgrade_of_the_last_release_loses_nothing(
    released: dict[str, Templates], environment: str, templates: Templates
) -> None:
    # An environment that the release did not have has nothing to lose.
    before = released.get(environment, {})
    found = unsafe(compare(before, by_name(environment, templates)))
    assert not found, "\n".join(f"{each.sentence} {each.remedy}" for each in found)


def test_the_release_has_the_environments_and_their_data(released: dict[str, Templates]) -> None:
    assert {"dev", "staging", "prod"} <= released.keys()
    types = {r["Type"] for t in released["prod"].values() for r in t["Resources"].values()}
    assert {"AWS::RDS::DBInstance", "AWS::SecretsManager::Secret", "AWS::SQS::Queue"} <= types


def stateful(templates: Json) -> list[tuple[str, str]]:
    return [
        (stack, name)
        for stack, template in templates.items()
        for name, each in template["Resources"].items()
        if STATEFUL in each.get("Metadata", {})
    ]


def removed(template: Json, name: str) -> None:
    del template["Resources"][name]


def renamed(template: Json, name: str) -> None:
    template["Resources"][f"{name}2"] = template["Resources"].pop(name)


def retyped(template: Json, name: str) -> None:
    template["Resources"][name]["Type"] = "AWS::CloudFormation::WaitConditionHandle"


@pytest.mark.parametrize("harm", [removed, renamed, retyped])
def test_harm_to_any_data_of_production_is_found(
    prod: Templates, harm: Callable[[Json, str], None]
) -> None:
    before = by_name("prod", prod)
    held = stateful(before)
    assert held
    for stack, name in held:
        after = {**before, stack: copy.deepcopy(before[stack])}
        harm(after[stack], name)
        dangers = unsafe(compare(before, after))
        assert (stack, name) in {(d.stack, d.subject) for d in dangers if d.kind != Kind.EXPORT}


def test_an_export_of_production_that_goes_away_in_use_is_found(prod: Templates) -> None:
    before = by_name("prod", prod)
    after = copy.deepcopy(before)
    after["academy-prod-network"]["Outputs"] = {}
    kinds = {danger.kind for danger in unsafe(compare(before, after))}
    assert kinds == {Kind.EXPORT}


def test_whatever_holds_data_by_its_nature_is_marked(templates: Templates) -> None:
    unmarked = [
        f"{stack}/{name} ({each['Type']})"
        for stack, template in templates.items()
        for name, each in template["Resources"].items()
        if each["Type"] in DATA_TYPES and not each.get("Metadata", {}).get(STATEFUL)
    ]
    assert not unmarked, f"declare_stateful is missing: {unmarked}"


def test_a_shallow_clone_fetches_the_released_commit(tmp_path: Path) -> None:
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    git("init", "--quiet", str(origin))
    for version in ("one", "two"):
        (origin / "version").write_text(version)
        git("-C", str(origin), "add", "version")
        git("-C", str(origin), *AUTHOR, "commit", "--quiet", "-m", version)
    first = git("-C", str(origin), "rev-parse", "HEAD~1")
    git("clone", "--quiet", "--depth=1", f"file://{origin}", str(clone))
    unpack(first, clone, tmp_path / "tree")
    assert (tmp_path / "tree" / "version").read_text() == "one"


def test_a_commit_that_cannot_be_had_is_one_clear_line(tmp_path: Path) -> None:
    git("init", "--quiet", str(tmp_path / "empty"))
    with pytest.raises(ReleaseMissingError, match=r"0123abc is neither .*git fetch --unshallow"):
        unpack("0123abc", tmp_path / "empty", tmp_path / "tree")


def git(*arguments: str) -> str:
    """Run git and return what it printed."""
    done = subprocess.run(["git", *arguments], check=True, capture_output=True, text=True)  # noqa: S607
    return done.stdout.strip()
