"""An act on one stack alone looks at that stack, whatever the others run."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from rich.console import Console

from config.contracts.statefulness import STATEFUL
from config.settings import load_settings
from ops.changes import Templates
from ops.checks import upgrade
from ops.delivery import deploy as deploying
from ops.delivery import rollback as rolling_back
from ops.delivery.plan import Plan
from ops.errors import OperatorError
from ops.releases.assemblies import Assembly
from ops.releases.origin import Origin
from ops.releases.record import DEPLOY, Release
from ops.releases.store import Store

SETTINGS = load_settings("dev")
QUEUES, VIDEO = "academy-dev-queues", "academy-dev-video"
#: Somebody made it by hand: a deploy of everything removes it, and it holds data.
LEDGER = {"Type": "AWS::SQS::Queue", "Metadata": {STATEFUL: "payments"}}


def template(version: int, **more: Any) -> dict[str, Any]:
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": f"version {version}"}}
    return {"Resources": {"Topic": topic, **more}}


def assembly(directory: Path, queues: int, video: int) -> Assembly:
    """Write an assembly of two stacks, each of a version."""
    directory.mkdir()
    artifacts = {}
    for stack, version in ((QUEUES, queues), (VIDEO, video)):
        (directory / f"{stack}.json").write_text(json.dumps(template(version)))
        properties = {"templateFile": f"{stack}.json"}
        artifacts[stack] = {"type": "aws:cloudformation:stack", "properties": properties}
    manifest = {"version": "1", "artifacts": artifacts}
    (directory / "manifest.json").write_text(json.dumps(manifest))
    return Assembly(directory)


def release(store: Store, made: Assembly, after: Release | None) -> Release:
    fields: Mapping[str, Any] = {"touched": [], "images": {}, "settings": "s", "migrations": {}}
    at, stacks = "2026-11-21T12:00:00+00:00", made.digests()
    return store.add(
        Release(0, DEPLOY, at, "who", "c" * 40, False, stacks, **fields), made, after=after
    )


class Estate:
    """Two releases of both stacks, what runs now, and the plans that were carried out."""

    def __init__(self, room: Path, store: Store) -> None:
        self.store = store
        self.room = room
        last = None
        for version in (1, 2):
            made = assembly(room / f"version-{version}", version, version)
            last = release(store, made, last)
        self.runs: Templates = {QUEUES: template(2), VIDEO: template(2)}
        self.plans: list[Plan] = []
        self.sent: Templates = {}
        self.said = io.StringIO()
        self.console = Console(file=self.said, width=500)

    def drift(self) -> None:
        """Change the queues' stack by hand."""
        self.runs = {**self.runs, QUEUES: template(7, Ledger=LEDGER)}

    def carry_out(self, _: Any, plan: Plan, *__: Any) -> None:
        self.plans.append(plan)
        # The assembly's directory ends with the act.
        self.sent = plan.assembly.templates()


@pytest.fixture
def estate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Estate]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="releases")
        made = Estate(tmp_path, Store(s3, "releases"))
        monkeypatch.setattr(upgrade, "running", lambda *_: made.runs)
        monkeypatch.setattr(deploying, "origin", lambda *_: Origin("c", False, "who"))
        for module in (deploying, rolling_back):
            monkeypatch.setattr(module, "open_store", lambda _: made.store)
            monkeypatch.setattr(module, "carry_out", made.carry_out)
        yield made


def test_a_stack_is_rolled_back_past_the_drift_of_another(estate: Estate) -> None:
    estate.drift()
    rolling_back.rollback(SETTINGS, estate.console, role="video", yes=True)
    assert estate.plans[-1].of == 1
    assert estate.sent[VIDEO] == template(1)
    said = estate.said.getvalue()
    assert f"changed: {VIDEO} Topic" in said
    assert QUEUES not in said


def test_a_stack_that_drifted_itself_is_brought_back_to_the_current_release(
    estate: Estate,
) -> None:
    estate.runs = {**estate.runs, VIDEO: template(7)}
    rolling_back.rollback(SETTINGS, estate.console, role="video", yes=True)
    assert estate.plans[-1].of == 2


def test_everything_is_not_rolled_back_past_data_that_would_be_lost(estate: Estate) -> None:
    estate.drift()
    with pytest.raises(OperatorError, match="Ledger"):
        rolling_back.rollback(SETTINGS, estate.console, yes=True)
    assert estate.plans == []


def test_a_stack_is_deployed_past_the_drift_of_another(estate: Estate) -> None:
    estate.drift()
    wanted = assembly(estate.room / "wanted", 3, 3)
    deploying.deploy(SETTINGS, wanted.directory, estate.console, role="video")
    assert "1 resources" in estate.said.getvalue()
    with pytest.raises(OperatorError, match="Ledger"):
        deploying.deploy(SETTINGS, wanted.directory, estate.console)
    assert [plan.stack for plan in estate.plans] == [VIDEO]
