"""The acting part of a deploy: what is recorded, tagged and said whatever goes wrong after it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from rich.console import Console

from config.contracts.names import IMAGES
from config.settings import load_settings
from ops import aws
from ops.delivery import carrying_out
from ops.delivery.carrying_out import Outcome, carry_out
from ops.delivery.plan import Plan
from ops.deploy_events import StackProgress
from ops.errors import OperatorError
from ops.findings import Finding
from ops.releases.assemblies import Assembly
from ops.releases.origin import Origin
from ops.releases.record import DEPLOY, Release, forbidding
from ops.releases.store import Store

SETTINGS = load_settings("dev")
API, VIDEO = "academy-dev-api", "academy-dev-video"
REPOSITORY = IMAGES["api"]
THROTTLED = ClientError({"Error": {"Code": "Throttling", "Message": "too fast"}}, "DescribeImages")


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The release bucket of an environment whose deploys and verifications go well."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    aws.client.cache_clear()
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="releases")
        made = Store(s3, "releases")
        monkeypatch.setattr(carrying_out, "open_store", lambda _: made)
        monkeypatch.setattr(carrying_out, "origin", lambda *_: Origin("c", False, "an operator"))
        monkeypatch.setattr(carrying_out, "verify", lambda *_: [Finding("stacks")])
        done = [StackProgress(API, "done")]
        monkeypatch.setattr(carrying_out.deploying, "deploy", lambda *_, **__: done)
        yield made
    aws.client.cache_clear()


def assembly(directory: Path, **images: str) -> Assembly:
    """Write an assembly of the API's and the video stack, each with the tag of its image."""
    directory.mkdir()
    artifacts = {}
    for stack in (API, VIDEO):
        role = stack.rpartition("-")[2]
        image = f"registry/{REPOSITORY}:{images.get(role, 'one')}"
        resources = {"Runs": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"Image": image}}}
        (directory / f"{stack}.json").write_text(json.dumps({"Resources": resources}))
        properties = {"templateFile": f"{stack}.json"}
        artifacts[stack] = {"type": "aws:cloudformation:stack", "properties": properties}
    manifest = {"version": "1", "artifacts": artifacts}
    (directory / "manifest.json").write_text(json.dumps(manifest))
    return Assembly(directory)


def plan(wanted: Assembly, **migrations: bool) -> Plan:
    return Plan(DEPLOY, wanted, "c" * 40, False, "s", migrations)


def carried_out(wanted: Plan, releases: list[Release]) -> Outcome:
    return carry_out(SETTINGS, wanted, releases, Console(file=io.StringIO()))


def test_a_deploy_whose_images_cannot_be_tagged_is_recorded_unverified_until_they_are(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> dict[str, str]:
        raise THROTTLED

    wanted = plan(assembly(tmp_path / "one"))
    with monkeypatch.context() as patched:
        patched.setattr(carrying_out, "digests", refuse)
        first = carried_out(wanted, [])
        assert first.is_new
        again = carried_out(wanted, store.releases())
    for outcome in (first, again):
        assert not outcome.release.verified
        assert "too fast" in outcome.release.problems[0]
    assert carried_out(wanted, store.releases()).release.verified
    assert [each.number for each in store.releases()] == [1]


def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the deploy itself fail, in an account that answers nothing afterwards."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OperatorError("deploy failed: the quota of addresses")

    def throttle(*_: Any) -> None:
        raise THROTTLED

    monkeypatch.setattr(carrying_out.deploying, "deploy", refuse)
    monkeypatch.setattr(carrying_out.facts, "stacks_named", throttle)


def test_the_cause_of_a_failed_deploy_is_told_though_the_stacks_cannot_be_asked(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch)
    with pytest.raises(OperatorError, match=r"the quota of addresses\nnothing was recorded$"):
        carried_out(plan(assembly(tmp_path / "one")), [])
    assert store.releases() == []


@pytest.mark.parametrize(
    ("changed", "forbids", "may_return"),
    [("api", False, True), ("api", True, False), ("video", True, True)],
)
def test_a_failed_deploy_names_the_way_back_only_where_it_is_open(
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    changed: str,
    forbids: bool,
    may_return: bool,
) -> None:
    current = carried_out(plan(assembly(tmp_path / "one")), []).release
    failing(monkeypatch)
    wanted = plan(assembly(tmp_path / "two", **{changed: "two"}), the_newest=forbids)
    with pytest.raises(OperatorError) as failed:
        carried_out(wanted, [current])
    assert ("academy rollback dev --to 1" in failed.value.hint) is may_return
    assert ("the_newest" in failed.value.hint) is not may_return
    assert (not forbidding(store.applied(current), current)) is may_return
    assert ("the_newest" in store.applied(current)) is (changed == "api")


def test_what_a_failed_first_deploy_may_have_migrated_is_not_forgotten(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch)
    with pytest.raises(OperatorError) as failed:
        carried_out(plan(assembly(tmp_path / "one"), dropped=True), [])
    assert failed.value.hint == "mend the cause and deploy again"
    assert store.applied(None) == {"dropped": True}
