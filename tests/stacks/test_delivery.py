"""Release bucket, image repositories, GitHub's roles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from config.contracts.names import IMAGES, released_tag_prefix
from config.contracts.parameters import RELEASE_BUCKET, found_path
from config.contracts.statefulness import STATEFUL
from config.settings import load_settings
from tests.conftest import Template, Templates
from tests.templates import only, properties, resources, text

WITH_GITHUB = ("dev", "staging", "prod")
SUBJECT = "token.actions.githubusercontent.com:sub"


def bucket(template: Template) -> dict[str, Any]:
    """Return the release bucket, the only one of its stack."""
    [found] = resources(template, "AWS::S3::Bucket").values()
    return found


def trusted(role: Mapping[str, Any]) -> str:
    """Return the one subject that may assume a role."""
    [statement] = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    conditions = statement["Condition"]
    assert set(conditions) == {"StringEquals"}, "a pattern would let others in"
    return str(conditions["StringEquals"][SUBJECT])


def granted(template: Template, role: str) -> dict[str, set[str]]:
    """Return the resources by action of the role whose logical id begins so."""
    found: dict[str, set[str]] = {}
    for policy in properties(template, "AWS::IAM::Policy"):
        if not any(text(each).startswith(f"<{role}") for each in policy["Roles"]):
            continue
        for statement in policy["PolicyDocument"]["Statement"]:
            actions, places = statement["Action"], statement["Resource"]
            for action in actions if isinstance(actions, list) else [actions]:
                places = places if isinstance(places, list) else [places]
                found.setdefault(action, set()).update(text(place) for place in places)
    return found


def test_the_release_bucket_is_private_versioned_and_found_by_its_parameter(
    templates: Templates, environment: str
) -> None:
    template = templates["delivery"]
    found = bucket(template)["Properties"]
    assert found["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(found["PublicAccessBlockConfiguration"].values()) == {True}
    assert "BucketEncryption" in found
    [parameter] = properties(template, "AWS::SSM::Parameter")
    assert parameter["Name"] == found_path(environment, RELEASE_BUCKET)
    assert "Releases" in text(parameter["Value"])


def test_nobody_deletes_a_release_where_data_is_kept(
    templates: Templates, environment: str
) -> None:
    template = templates["delivery"]
    kept = load_settings(environment).protect_data
    denied = [
        statement
        for statement in only(template, "AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
        if "s3:DeleteObjectVersion" in statement["Action"]
    ]
    assert [(d["Effect"], d["Principal"]) for d in denied] == (
        [("Deny", {"AWS": "*"})] if kept else []
    )
    assert "Condition" not in (denied[0] if denied else {})
    assert bucket(template)["DeletionPolicy"] == ("RetainExceptOnCreate" if kept else "Delete")


def test_releases_and_images_are_declared_as_data(templates: Templates) -> None:
    template = templates["delivery"]
    for kind in ("AWS::S3::Bucket", "AWS::ECR::Repository"):
        for name, resource in resources(template, kind).items():
            assert resource["Metadata"][STATEFUL], name


def test_an_account_holds_repositories_and_identity_once(
    templates: Templates, environment: str
) -> None:
    template, delivery = templates["delivery"], load_settings(environment).delivery
    repositories = properties(template, "AWS::ECR::Repository")
    named = {found["RepositoryName"] for found in repositories}
    assert named == (set(IMAGES.values()) if delivery.creates_shared else set())
    providers = properties(template, "AWS::IAM::OIDCProvider")
    assert len(providers) == (delivery.creates_shared and delivery.github is not None)


def test_images_are_immutable_scanned_and_kept_by_tens(prod: Templates) -> None:
    for found in properties(prod["delivery"], "AWS::ECR::Repository"):
        assert found["ImageTagMutability"] == "IMMUTABLE"
        assert found["ImageScanningConfiguration"] == {"ScanOnPush": True}
        *released, built, parts = [rule["selection"] for rule in lifecycle(found)]
        # The first rule that matches decides: what prod runs outlives dev's tenth release.
        order = [rule["tagPrefixList"] for rule in released]
        assert order == [[released_tag_prefix(name)] for name in ("prod", "staging", "dev")]
        assert {rule["countNumber"] for rule in released} == {10}
        # Ten images, each with the tag of its signature.
        assert (built["countNumber"], built["tagPatternList"]) == (20, ["*"])
        assert (parts["tagStatus"], parts["countNumber"]) == ("untagged", 7)


def lifecycle(repository: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a repository's lifecycle rules in the order of their priority."""
    rules = json.loads(repository["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    return sorted(rules, key=lambda rule: int(rule["rulePriority"]))


@pytest.mark.parametrize("name", WITH_GITHUB)
def test_each_role_trusts_one_kind_of_run_of_our_repository(assemblies: Any, name: str) -> None:
    template, delivery = assemblies(name)["delivery"], load_settings(name).delivery
    assert delivery.github is not None
    own = f"repo:{delivery.github.repository}:"
    subjects = {trusted(role) for role in properties(template, "AWS::IAM::Role")}
    expected = {f"{own}pull_request", f"{own}environment:{name}"}
    if delivery.creates_shared:
        expected.add(f"{own}environment:images")
    assert subjects == expected


def test_local_trusts_nobody(local: Templates) -> None:
    assert not resources(local["delivery"], "AWS::IAM::Role")


@pytest.mark.parametrize("name", WITH_GITHUB)
def test_a_diff_reads_templates_and_looks_up_and_no_more(assemblies: Any, name: str) -> None:
    found = granted(assemblies(name)["delivery"], "GitHubDiff")
    assert set(found) == {
        "cloudformation:DescribeStacks",
        "cloudformation:GetTemplate",
        "sts:AssumeRole",
    }
    assert all("-lookup-role-" in role for role in found["sts:AssumeRole"])
    assert all(f"stack/academy-{name}-*/*" in arn for arn in found["cloudformation:GetTemplate"])


@pytest.mark.parametrize("name", WITH_GITHUB)
def test_a_deploy_changes_resources_through_cdk_alone(assemblies: Any, name: str) -> None:
    found = granted(assemblies(name)["delivery"], "GitHubDeploy")
    roles = {"-".join(arn.split("/")[1].split("-")[2:-1]) for arn in found["sts:AssumeRole"]}
    assert {role.split("-role-")[0] for role in roles} == {"lookup", "deploy", "file-publishing"}
    writes = {
        action
        for action in found
        if not any(word in action for word in (":Get", ":List", ":Describe", ":BatchGet"))
    }
    assert writes == {"sts:AssumeRole", "s3:PutObject", "lambda:InvokeFunction", "ecr:PutImage"}
    assert not any("*" in action for action in found)
    assert all("monitoring-" in arn for arn in found["lambda:InvokeFunction"])


def test_whoever_pushes_images_deploys_nothing(prod: Templates) -> None:
    found = granted(prod["delivery"], "ImagesPush")
    assert {action.split(":")[0] for action in found} == {"ecr"}
    assert not {action for action in found if "Delete" in action}
    login = found.pop("ecr:GetAuthorizationToken")
    assert login == {"*"}
    assert not any(place == "*" for places in found.values() for place in places)
