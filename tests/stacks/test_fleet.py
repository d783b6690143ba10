"""The video fleet: nobody but the worker itself ends a busy worker."""

from __future__ import annotations

from config.contracts.names import worker_group_name
from config.contracts.queues import CONSUMER_ACTIONS, PRODUCER_ACTIONS
from config.settings import load_settings
from stacks.constructs.worker_fleet import OWN_GROUP_ACTIONS
from tests.conftest import IMAGE_TAG, Templates
from tests.templates import (
    actions_on,
    only,
    properties,
    resources,
    statements,
    text,
    user_data,
)


def test_the_group_has_its_documented_name_and_bounds(
    templates: Templates, environment: str
) -> None:
    group = only(templates["video"], "AWS::AutoScaling::AutoScalingGroup")
    worker = load_settings(environment).workers["video"]
    assert group["AutoScalingGroupName"] == worker_group_name(environment, "video")
    assert (group["MinSize"], group["MaxSize"]) == (
        str(worker.min_instances),
        str(worker.max_instances),
    )


def test_new_instances_are_protected_and_no_deploy_sets_a_capacity(templates: Templates) -> None:
    assert only(templates["video"], "AWS::AutoScaling::AutoScalingGroup")[
        "NewInstancesProtectedFromScaleIn"
    ]
    for template in templates.values():
        for group in properties(template, "AWS::AutoScaling::AutoScalingGroup"):
            assert "DesiredCapacity" not in group
        for service in properties(template, "AWS::ECS::Service"):
            assert "DesiredCount" not in service


def test_a_deploy_replaces_no_worker(templates: Templates) -> None:
    groups = resources(templates["video"], "AWS::AutoScaling::AutoScalingGroup").values()
    for group in groups:
        assert set(group["UpdatePolicy"]) == {"AutoScalingScheduledAction"}


def test_termination_waits_for_the_worker_and_then_goes_on(templates: Templates) -> None:
    hook = only(templates["video"], "AWS::AutoScaling::LifecycleHook")
    assert hook["LifecycleTransition"] == "autoscaling:EC2_INSTANCE_TERMINATING"
    assert hook["DefaultResult"] == "CONTINUE"
    assert f"--lifecycle-hook-name {hook['LifecycleHookName']}" in user_data(templates["video"])


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


def test_the_worker_may_touch_its_own_group_alone(templates: Templates, environment: str) -> None:
    mine = worker_group_name(environment, "video")
    granted = [
        statement
        for statement in statements(templates["video"])
        if any(action.startswith("autoscaling:") for action in _list(statement["Action"]))
    ]
    assert len(granted) == 1
    assert set(granted[0]["Action"]) == {f"autoscaling:{name}" for name in OWN_GROUP_ACTIONS}
    assert text(granted[0]["Resource"]).endswith(f":autoScalingGroupName/{mine}")


def test_grants_follow_the_producer_and_consumer_table(templates: Templates) -> None:
    assert actions_on(templates["video"], "VideoQueue") == set(CONSUMER_ACTIONS)
    assert actions_on(templates["video"], "MessagingQueue") == set()
    for queue in ("VideoQueue", "AiLiteQueue", "AiBasicQueue", "AiPremiumQueue", "MessagingQueue"):
        assert actions_on(templates["api"], queue) == set(PRODUCER_ACTIONS)
    assert actions_on(templates["api"], "DeadLetter") == set()


def test_nobody_may_do_everything(templates: Templates) -> None:
    for name, template in templates.items():
        for statement in statements(template):
            assert "*" not in _list(statement["Action"]), name
        for role in properties(template, "AWS::IAM::Role"):
            for policy in role.get("ManagedPolicyArns", []):
                assert "FullAccess" not in text(policy), name


def test_images_go_by_the_given_tag(templates: Templates) -> None:
    assert f"academy-video-worker:{IMAGE_TAG}" in user_data(templates["video"])
    for name, template in templates.items():
        assert ":latest" not in str(template), name


def test_old_messages_raise_an_alarm(templates: Templates, environment: str) -> None:
    alarm = only(templates["video"], "AWS::CloudWatch::Alarm")
    worker = load_settings(environment).workers["video"]
    assert alarm["MetricName"] == "ApproximateAgeOfOldestMessage"
    assert alarm["Threshold"] == worker.oldest_message_alarm_s


def test_every_log_group_forgets(templates: Templates, environment: str) -> None:
    days = load_settings(environment).log_retention_days
    for template in templates.values():
        for group in properties(template, "AWS::Logs::LogGroup"):
            assert group["RetentionInDays"] == days


def _list(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]
