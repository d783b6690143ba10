"""cdk-nag's AwsSolutions: nothing is found that is not accepted, nothing accepted is not found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import cdk_nag
import pytest
from constructs import Construct

from config.models import Settings
from config.settings import environments, load_settings
from tests.conftest import ROOT, composed
from tests.stacks.test_every_estate import ZONES, choose

#: Choices that no environment makes, and that bring resources of their own.
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "prod-10000": ("prod", {"users_per_day": 10000}),
    "prod-widest": (
        "prod",
        {
            "network.nat": "instance",
            "network.nat_zones": 2,
            "network.availability_zones": ZONES,
            "api.compute": "ecs",
            "database.rds.multi_az": True,
            "database.rds.read_replicas": 1,
            "database.rds.rotation_days": None,
            "redis.elasticache.shards": 2,
            "redis.elasticache.replicas": 1,
        },
    ),
    "dev-closed": (
        "dev",
        {
            "network.interface_endpoints": True,
            "workers.messaging": None,
            "api.compute": "ec2",
            "edge.provider": "none",
        },
    ),
}
SYNTH = """
import stacks.constructs.buckets as buckets
buckets.acknowledge = lambda *accepted: None
import app
app.main()
"""


@dataclass(frozen=True)
class Accepted:
    """An acknowledgement: where it stands, what it accepts, and why."""

    path: str
    rule: str
    reason: str

    def covers(self, rule: str, path: str) -> bool:
        """Tell whether cdk-nag would accept a finding by it."""
        return self.rule == f"AwsSolutions::{rule}" and f"{path}/".startswith(f"{self.path}/")


@dataclass(frozen=True)
class Inspection:
    """All that AwsSolutions finds (rule and path), as if nothing were accepted; and what is."""

    found: set[tuple[str, str]]
    accepted: list[Accepted]


class Recorder:
    """Stands in for `cdk.Validations`: it keeps what is accepted away from cdk-nag."""

    def __init__(self, construct: Construct, kept: list[Accepted]) -> None:
        self.construct, self.kept = construct, kept

    def acknowledge(self, given: cdk.Acknowledgment) -> None:
        """Keep an acknowledgement."""
        self.kept.append(Accepted(self.construct.node.path, given.id, given.reason))


@pytest.fixture(scope="module", params=[*environments(), *VARIANTS])
def inspection(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Inspection:
    """Return what is found and accepted in each environment and each variant."""
    kept: list[Accepted] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cdk.Validations, "of", lambda construct: Recorder(construct, kept))
        app = composed(settings_of(request.param), tmp_path_factory.mktemp("nag"))
        app.synth()
    report = cdk_nag.AwsSolutionsChecks(app).validate_scope(app)
    found = {
        (violation.rule_name, resource.construct_path)
        for violation in report.violations
        for resource in violation.violating_resources
    }
    return Inspection(found, kept)


def settings_of(name: str) -> Settings:
    """Return the settings of an environment or a variant."""
    environment, choices = VARIANTS.get(name, (name, {}))
    users = choices.get("users_per_day")
    data = load_settings(environment, users_per_day=users).model_dump()
    for key, value in choices.items():
        if key != "users_per_day":
            choose(data, key, value)
    return Settings.model_validate(data)


def test_everything_that_nag_finds_is_accepted(inspection: Inspection) -> None:
    assert [
        (rule, path)
        for rule, path in sorted(inspection.found)
        if not any(each.covers(rule, path) for each in inspection.accepted)
    ] == []


def test_everything_accepted_is_still_found(inspection: Inspection) -> None:
    assert [
        each
        for each in inspection.accepted
        if not any(each.covers(rule, path) for rule, path in inspection.found)
    ] == []


def test_everything_accepted_has_a_reason(inspection: Inspection) -> None:
    assert inspection.accepted
    assert [each for each in inspection.accepted if len(each.reason.split()) < 5] == []


def test_a_synth_with_a_finding_that_nobody_accepted_fails(tmp_path: Path) -> None:
    context = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]
    given = {**context, "env": "dev", "image_tag": "0123abc"}
    done = subprocess.run(
        [sys.executable, "-c", SYNTH],
        cwd=ROOT,
        env={**os.environ, "CDK_OUTDIR": str(tmp_path), "CDK_CONTEXT_JSON": json.dumps(given)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    said = done.stdout + done.stderr
    asked = {line.split("'")[1] for line in said.splitlines() if "Acknowledge with" in line}
    assert asked == {"AwsSolutions::AwsSolutions-S1"}, said
