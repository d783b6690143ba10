"""The fleets: nobody but the worker itself ends a busy worker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from config.contracts.names import IMAGES, worker_group_name
from config.contracts.queues import CONSUMER_ACTIONS, PRODUCER_ACTIONS, QUEUES
from config.settings import Worker, load_settings
from stacks.constructs.worker_fleet import OWN_GROUP_ACTIONS, QUESTIONS
from tests.conftest import IMAGE_TAG, Template, Templates
from tests.templates import (
    actions_on,
    only,
    properties,
    resources,
    statements,
    text,
    user_data,
)


@dataclass(frozen=True)
class Fleet:
    """One fleet's stack, and the settings that it was made of."""

    environment: str
    kind: str
    worker: Worker
    template: Template

    def group(self) -> dict[str, object]:
        """Return the properties of its Auto Scaling group."""
        return only(self.template, "AWS::AutoScaling::AutoScalingGroup")


@pytest.fixture
def fleets(templates: Templates, environment: str) -> Iterator[list[Fleet]]:
    """Yield the fleets of an environment."""
    workers = load_settings(environment).workers
    yield [Fleet(environment, kind, worker, templates[kind]) for kind, worker in workers.items()]


def test_every_kind_has_a_stack_of_its_own(fleets: list[Fleet]) -> None:
    assert [fleet.kind for fleet in fleets] == ["video", "ai", "messaging"]


def test_a_group_has_its_documented_name_and_bounds(fleets: list[Fleet]) -> None:
    for fleet in fleets:
        group, worker = fleet.group(), fleet.worker
        name = worker_group_name(fleet.environment, fleet.kind)
        assert group["AutoScalingGroupName"] == name
        sizes = (str(worker.min_instances), str(worker.max_instances))
        assert (group["MinSize"], group["MaxSize"]) == sizes


def test_new_instances_are_protected_and_no_deploy_sets_a_capacity(
    fleets: list[Fleet], templates: Templates
) -> None:
    assert all(fleet.group()["NewInstancesProtectedFromScaleIn"] for fleet in fleets)
    for template in templates.values():
        for group in properties(template, "AWS::AutoScaling::AutoScalingGroup"):
            assert "DesiredCapacity" not in group
        for service in properties(template, "AWS::ECS::Service"):
            assert "DesiredCount" not in service


def test_a_deploy_replaces_no_worker(fleets: list[Fleet]) -> None:
    for fleet in fleets:
        [group] = resources(fleet.template, "AWS::AutoScaling::AutoScalingGroup").values()
        assert set(group["UpdatePolicy"]) == {"AutoScalingScheduledAction"}


def test_instances_are_of_the_listed_types_and_bought_as_the_settings_say(
    fleets: list[Fleet],
) -> None:
    for fleet in fleets:
        group = fleet.group()
        assert "LaunchTemplate" not in group
        mix = group["MixedInstancesPolicy"]
        assert isinstance(mix, dict)
        types = [each["InstanceType"] for each in mix["LaunchTemplate"]["Overrides"]]
        assert types == fleet.worker.instance_types
        assert mix["InstancesDistribution"] == {
            "OnDemandBaseCapacity": fleet.worker.on_demand_base,
            "OnDemandPercentageAboveBaseCapacity": 100 - fleet.worker.spot_percent,
            "SpotAllocationStrategy": "price-capacity-optimized",
        }
        assert group["CapacityRebalance"] is False


def test_a_deploy_gives_later_instances_the_newest_template(fleets: list[Fleet]) -> None:
    for fleet in fleets:
        [name] = resources(fleet.template, "AWS::EC2::LaunchTemplate")
        mix = fleet.group()["MixedInstancesPolicy"]
        assert isinstance(mix, dict)
        version = mix["LaunchTemplate"]["LaunchTemplateSpecification"]["Version"]
        assert version == {"Fn::GetAtt": [name, "LatestVersionNumber"]}


def test_termination_waits_for_the_worker_and_then_goes_on(fleets: list[Fleet]) -> None:
    for fleet in fleets:
        hook = only(fleet.template, "AWS::AutoScaling::LifecycleHook")
        assert hook["LifecycleTransition"] == "autoscaling:EC2_INSTANCE_TERMINATING"
        assert hook["DefaultResult"] == "CONTINUE"
        assert f"release {hook['LifecycleHookName']}\n" in user_data(fleet.template)


def test_a_worker_may_touch_its_own_group_alone(fleets: list[Fleet]) -> None:
    for fleet in fleets:
        mine = worker_group_name(fleet.environment, fleet.kind)
        granted = {
            text(statement["Resource"]).rpartition(":")[2]: {
                action for action in _list(statement["Action"]) if action.startswith("autoscaling:")
            }
            for statement in statements(fleet.template)
            if any(action.startswith("autoscaling:") for action in _list(statement["Action"]))
        }
        assert granted == {
            f"autoScalingGroupName/{mine}": {f"autoscaling:{name}" for name in OWN_GROUP_ACTIONS},
            "*": set(QUESTIONS),
        }


def test_grants_follow_the_producer_and_consumer_table(
    fleets: list[Fleet], templates: Templates
) -> None:
    for queue in QUEUES:
        logical = f"{queue.key.title().replace('_', '')}Queue"
        for fleet in fleets:
            expected = set(CONSUMER_ACTIONS) if fleet.kind == queue.worker else set()
            assert actions_on(fleet.template, logical) == expected, (fleet.kind, queue.key)
        assert actions_on(templates["api"], logical) == set(PRODUCER_ACTIONS)
    assert actions_on(templates["api"], "DeadLetter") == set()


def test_the_scratch_disk_is_the_one_that_the_boot_mounts(fleets: list[Fleet]) -> None:
    for fleet in fleets:
        data = only(fleet.template, "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
        sizes = [disk["Ebs"]["VolumeSize"] for disk in data["BlockDeviceMappings"]]
        scratch = [fleet.worker.scratch_gb] if fleet.worker.scratch_gb else []
        assert sizes == [fleet.worker.disk_gb, *scratch]
        devices = [disk["DeviceName"] for disk in data["BlockDeviceMappings"][1:]]
        script = user_data(fleet.template)
        assert ("mkfs.xfs" in script) == bool(devices)
        for device in devices:
            assert f"mount -o noatime {device} /var/lib/academy/tmp" in script


def test_images_go_by_the_given_tag(fleets: list[Fleet], templates: Templates) -> None:
    for fleet in fleets:
        assert f"{IMAGES[fleet.kind]}:{IMAGE_TAG}" in user_data(fleet.template)
    for name, template in templates.items():
        assert ":latest" not in str(template), name


def test_a_fleet_deploys_and_reverts_alone(fleets: list[Fleet], templates: Templates) -> None:
    """`cdk deploy academy-prod-ai --exclusively`: nobody holds on to what its stack exports."""
    for fleet in fleets:
        exports = {
            text(output["Export"]["Name"])
            for output in fleet.template.get("Outputs", {}).values()
            if "Export" in output
        }
        held = {
            (name, export)
            for name, template in templates.items()
            for export in exports
            if name != fleet.kind and f"'Fn::ImportValue': '{export}'" in str(template)
        }
        assert held == set()


def test_every_instance_requires_imdsv2_and_an_encrypted_disk(templates: Templates) -> None:
    seen = 0
    for template in templates.values():
        for found in properties(template, "AWS::EC2::LaunchTemplate"):
            data = found["LaunchTemplateData"]
            assert data["MetadataOptions"] == {
                "HttpTokens": "required",
                "HttpPutResponseHopLimit": 2,
            }
            disks = [device["Ebs"] for device in data["BlockDeviceMappings"]]
            assert {(disk["VolumeType"], disk["Encrypted"]) for disk in disks} == {("gp3", True)}
            assert "KeyName" not in data
            seen += 1
    assert seen >= 1


def test_nobody_may_do_everything(templates: Templates) -> None:
    for name, template in templates.items():
        for statement in statements(template):
            assert "*" not in _list(statement["Action"]), name
        for role in properties(template, "AWS::IAM::Role"):
            for policy in role.get("ManagedPolicyArns", []):
                assert "FullAccess" not in text(policy), name


def test_every_log_group_forgets(templates: Templates, environment: str) -> None:
    days = load_settings(environment).log_retention_days
    for template in templates.values():
        for group in properties(template, "AWS::Logs::LogGroup"):
            assert group["RetentionInDays"] == days


def _list(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]
