"""Security groups, launch templates, functions, alarms, roles, custom resources."""

from __future__ import annotations

import base64
import io
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.hosts import Invocation
from local.resources import handlers
from local.resources.base import ANY_PROPERTY, Applied
from local.resources.calls import InvalidPropertyError
from local.resources.custom import CustomResourceError
from local.services import custom_responses
from tests.local.account import Account

GROUP = "AWS::EC2::SecurityGroup"
TEMPLATE = "AWS::EC2::LaunchTemplate"
SCALING_GROUP = "AWS::AutoScaling::AutoScalingGroup"
FUNCTION = "AWS::Lambda::Function"
CUSTOM = "AWS::CloudFormation::CustomResource"


@pytest.fixture
def account() -> Account:
    return Account()


def _vpc(account: Account) -> str:
    return account.create("AWS::EC2::VPC", "Vpc", CidrBlock="10.0.0.0/16").physical_id


@pytest.mark.parametrize("type_name", sorted(handlers()))
def test_what_replaces_a_resource_is_among_its_properties(type_name: str) -> None:
    handler = handlers()[type_name]

    assert handler.properties is ANY_PROPERTY or handler.replace_on <= handler.properties


def test_rules_of_a_security_group_are_swapped_in_place(account: Account) -> None:
    web = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "0.0.0.0/0"}
    old = {"GroupDescription": "d", "VpcId": _vpc(account), "SecurityGroupIngress": [web]}
    made = account.create(GROUP, **old)

    tls = {**web, "FromPort": "443", "ToPort": "443", "Description": "Browsers"}
    out = {**tls, "CidrIp": "10.0.0.0/16"}
    new = {**old, "SecurityGroupIngress": [tls], "SecurityGroupEgress": [out]}
    account.update(GROUP, made, old, new)

    ec2 = account.client("ec2")
    found = ec2.describe_security_groups(GroupIds=[made.physical_id])["SecurityGroups"][0]
    (ingress,), (egress,) = found["IpPermissions"], found["IpPermissionsEgress"]
    assert (ingress["FromPort"], ingress["IpRanges"][0]["Description"]) == (443, "Browsers")
    assert egress["IpRanges"][0]["CidrIp"] == "10.0.0.0/16"


def test_an_update_that_stopped_half_way_can_be_taken_back(account: Account) -> None:
    web = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "0.0.0.0/0"}
    old = {"GroupDescription": "d", "VpcId": _vpc(account), "SecurityGroupIngress": [web]}
    made = account.create(GROUP, **old)
    never_applied = {**old, "SecurityGroupIngress": [{**web, "FromPort": 22, "ToPort": 22}]}

    account.update(GROUP, made, never_applied, old)

    ec2 = account.client("ec2")
    found = ec2.describe_security_groups(GroupIds=[made.physical_id])["SecurityGroups"][0]
    assert [rule["FromPort"] for rule in found["IpPermissions"]] == [80]


def test_a_rule_with_an_unknown_member_or_two_peers_is_refused(account: Account) -> None:
    rule = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
    for wrong, word in (({**rule, "Colour": 1}, "Colour"), ({**rule, "CidrIpv6": "::/0"}, "peers")):
        with pytest.raises(InvalidPropertyError, match=word):
            account.create(
                GROUP, GroupDescription="d", VpcId=_vpc(account), SecurityGroupIngress=[wrong]
            )

    groups = account.client("ec2").describe_security_groups()["SecurityGroups"]
    assert {group["GroupName"] for group in groups} == {"default"}


def test_changed_launch_template_data_become_a_version_that_can_be_launched(
    account: Account,
) -> None:
    script = base64.b64encode(b"#!/bin/bash\nnew").decode()
    old = {"LaunchTemplateData": {"ImageId": "ami-12c6146b", "InstanceType": "t4g.small"}}
    made = account.create(TEMPLATE, **old)

    new = {"LaunchTemplateData": {**old["LaunchTemplateData"], "UserData": script}}
    after = account.update(TEMPLATE, made, old, new)

    assert after.attributes["LatestVersionNumber"] == "2"
    assert after.attributes["DefaultVersionNumber"] == "1"
    ec2 = account.client("ec2")
    launched = ec2.run_instances(
        MinCount=1,
        MaxCount=1,
        LaunchTemplate={"LaunchTemplateId": made.physical_id, "Version": "2"},
    )["Instances"][0]
    data = ec2.describe_instance_attribute(InstanceId=launched["InstanceId"], Attribute="userData")
    assert base64.b64decode(data["UserData"]["Value"]) == b"#!/bin/bash\nnew"


def _fleet(account: Account) -> tuple[Applied, dict[str, Any]]:
    """Return an Auto Scaling group and its properties."""
    data = {"ImageId": "ami-12c6146b", "InstanceType": "t4g.small"}
    template = account.create(TEMPLATE, "Template", LaunchTemplateData=data)
    vpc = _vpc(account)
    subnet = account.create("AWS::EC2::Subnet", "Net", VpcId=vpc, CidrBlock="10.0.1.0/24")
    properties = {
        "AutoScalingGroupName": "fleet",
        "LaunchTemplate": {"LaunchTemplateId": template.physical_id, "Version": "1"},
        "MinSize": "0",
        "MaxSize": "3",
        "VPCZoneIdentifier": [subnet.physical_id],
    }
    return account.create(SCALING_GROUP, **properties), properties


def test_an_update_sets_no_desired_capacity_that_the_template_does_not_name(
    account: Account,
) -> None:
    made, old = _fleet(account)
    autoscaling = account.client("autoscaling")
    autoscaling.set_desired_capacity(AutoScalingGroupName="fleet", DesiredCapacity=2)

    account.update(SCALING_GROUP, made, old, {**old, "MaxSize": "5"})

    found = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    assert (found["DesiredCapacity"], found["MaxSize"]) == (2, 5)


def test_a_deploy_resets_the_distribution_that_was_set_by_hand(account: Account) -> None:
    _, plain = _fleet(account)
    template = {"LaunchTemplateSpecification": plain.pop("LaunchTemplate")}
    spread = {"OnDemandPercentageAboveBaseCapacity": "0"}
    mix = {"LaunchTemplate": template, "InstancesDistribution": spread}
    old = {**plain, "AutoScalingGroupName": "mixed", "MixedInstancesPolicy": mix}
    made = account.create(SCALING_GROUP, **old)
    account.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName="mixed",
        MixedInstancesPolicy={
            "InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 100}
        },
    )

    account.update(SCALING_GROUP, made, old, {**old, "MaxSize": "5"})

    found = _group(account, "mixed")["MixedInstancesPolicy"]["InstancesDistribution"]
    assert found["OnDemandPercentageAboveBaseCapacity"] == 0


def test_a_cooldown_is_the_groups_default_one_until_it_leaves_the_template(
    account: Account,
) -> None:
    _, plain = _fleet(account)
    named = {**plain, "AutoScalingGroupName": "calm", "Cooldown": "45"}
    made = account.create(SCALING_GROUP, **named)
    assert _group(account, "calm")["DefaultCooldown"] == 45

    account.update(SCALING_GROUP, made, named, {**named, "Cooldown": "60"})
    assert _group(account, "calm")["DefaultCooldown"] == 60

    without = {**plain, "AutoScalingGroupName": "calm"}
    account.update(SCALING_GROUP, made, {**named, "Cooldown": "60"}, without)
    assert _group(account, "calm")["DefaultCooldown"] == 300


def _group(account: Account, name: str) -> Any:
    autoscaling = account.client("autoscaling")
    found = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    return found["AutoScalingGroups"][0]


def _refreshes(account: Account) -> list[tuple[str, str, int]]:
    autoscaling = account.client("autoscaling")
    found = autoscaling.describe_instance_refreshes(AutoScalingGroupName="fleet")
    return [
        (
            refresh["Status"],
            refresh["Preferences"]["ScaleInProtectedInstances"],
            refresh["Preferences"]["InstanceWarmup"],
        )
        for refresh in found["InstanceRefreshes"]
    ]


def _with_new_version(account: Account, old: dict[str, Any], number: int) -> dict[str, Any]:
    identifier = old["LaunchTemplate"]["LaunchTemplateId"]
    account.client("ec2").create_launch_template_version(
        LaunchTemplateId=identifier,
        LaunchTemplateData={"ImageId": "ami-12c6146b", "InstanceType": f"t4g.{number}"},
    )
    return {**old, "LaunchTemplate": {"LaunchTemplateId": identifier, "Version": str(number)}}


def test_a_changed_launch_template_rolls_and_waits_for_protected_instances(
    account: Account,
) -> None:
    rolling = {"AutoScalingRollingUpdate": {"MinInstancesInService": 1, "PauseTime": "PT1M30S"}}
    made, first = _fleet(account)

    same = {**first, "MaxSize": "4"}
    account.update(SCALING_GROUP, made, first, same, update_policy=rolling)
    assert _refreshes(account) == []

    second = _with_new_version(account, same, 2)
    account.update(SCALING_GROUP, made, same, second, update_policy=rolling)
    assert _refreshes(account) == [("InProgress", "Wait", 90)]

    third = _with_new_version(account, second, 3)
    account.update(SCALING_GROUP, made, second, third, update_policy=rolling)
    assert _refreshes(account) == [("InProgress", "Wait", 90), ("Cancelled", "Wait", 90)]


def test_a_changed_launch_template_without_update_policy_replaces_nothing(
    account: Account,
) -> None:
    made, old = _fleet(account)

    account.update(SCALING_GROUP, made, old, _with_new_version(account, old, 2))

    assert _refreshes(account) == []


def _zip(source: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("index.py", source)
    return archive.getvalue()


def test_a_function_keeps_every_setting_over_updates_and_drops_what_left(account: Account) -> None:
    s3 = account.client("s3")
    account.create("AWS::S3::Bucket", BucketName="assets")
    for key in ("one", "two"):
        s3.put_object(Bucket="assets", Key=key, Body=_zip(key))
    trust = {"Version": "2012-10-17", "Statement": []}
    role = account.create("AWS::IAM::Role", "Role", AssumeRolePolicyDocument=trust)
    old = {
        "FunctionName": "f",
        "Role": role.attributes["Arn"],
        "Handler": "index.handler",
        "Runtime": "python3.13",
        "Code": {"S3Bucket": "assets", "S3Key": "one"},
        "Timeout": "60",
        "Environment": {"Variables": {"TICK_S": 10}},
        "ReservedConcurrentExecutions": 1,
        "LoggingConfig": {"LogGroup": "logs"},
    }
    made = account.create(FUNCTION, **old)
    client = account.client("lambda")
    before = client.get_function_configuration(FunctionName="f")

    code = {"S3Bucket": "assets", "S3Key": "two"}
    new = {**old, "Code": code, "EphemeralStorage": {"Size": 1024}}
    del new["Environment"], new["ReservedConcurrentExecutions"]
    account.update(FUNCTION, made, old, new)

    after = client.get_function_configuration(FunctionName="f")
    assert before["Environment"]["Variables"] == {"TICK_S": "10"}
    assert before["LoggingConfig"]["LogGroup"] == after["LoggingConfig"]["LogGroup"] == "logs"
    assert "Environment" not in after
    assert after["EphemeralStorage"]["Size"] == 1024
    assert after["CodeSha256"] != before["CodeSha256"]
    assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(FunctionName="f")


def test_an_alarm_starts_without_data_and_keeps_its_state_over_an_update(account: Account) -> None:
    old = {
        "AlarmName": "silence",
        "ComparisonOperator": "LessThanThreshold",
        "EvaluationPeriods": 5,
        "MetricName": "BacklogCount",
        "Namespace": "Academy/VideoProcessing",
        "Period": 60,
        "Statistic": "SampleCount",
        "Threshold": "1",
    }
    made = account.create("AWS::CloudWatch::Alarm", **old)
    cloudwatch = account.client("cloudwatch")

    def alarm() -> Any:
        return cloudwatch.describe_alarms(AlarmNames=["silence"])["MetricAlarms"][0]

    assert alarm()["StateValue"] == "INSUFFICIENT_DATA"
    cloudwatch.set_alarm_state(AlarmName="silence", StateValue="ALARM", StateReason="test")
    account.update("AWS::CloudWatch::Alarm", made, old, {**old, "Threshold": 3})
    assert (alarm()["StateValue"], alarm()["Threshold"]) == ("ALARM", 3.0)


def test_a_composite_alarm_has_its_rule(account: Account) -> None:
    rule = 'ALARM("a") OR ALARM("b")'
    account.create("AWS::CloudWatch::CompositeAlarm", AlarmName="either", AlarmRule=rule)

    found = account.client("cloudwatch").describe_alarms(AlarmTypes=["CompositeAlarm"])
    assert [alarm["AlarmRule"] for alarm in found["CompositeAlarms"]] == [rule]


def test_a_role_changes_its_policies_in_place_and_deletes_cleanly(account: Account) -> None:
    trust = {"Version": "2012-10-17", "Statement": []}
    allow = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
    }
    managed = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
    old = {
        "RoleName": "r",
        "AssumeRolePolicyDocument": trust,
        "ManagedPolicyArns": [managed],
        "Policies": [{"PolicyName": "one", "PolicyDocument": allow}],
    }
    made = account.create("AWS::IAM::Role", **old)
    iam = account.client("iam")
    assert iam.list_role_policies(RoleName="r")["PolicyNames"] == ["one"]

    new = {**old, "ManagedPolicyArns": [], "Policies": []}
    account.update("AWS::IAM::Role", made, old, new)

    assert iam.list_role_policies(RoleName="r")["PolicyNames"] == []
    assert iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"] == []
    account.delete("AWS::IAM::Role", made, **new)
    account.delete("AWS::IAM::Role", made, **new)


def test_a_load_balancer_shows_the_address_that_its_host_serves(account: Account) -> None:
    vpc = _vpc(account)
    nets = [
        account.create(
            "AWS::EC2::Subnet",
            f"Net{number}",
            VpcId=vpc,
            CidrBlock=f"10.0.{number}.0/24",
            AvailabilityZone=f"ap-northeast-2{zone}",
        ).physical_id
        for number, zone in ((1, "a"), (2, "b"))
    ]
    type_name = "AWS::ElasticLoadBalancingV2::LoadBalancer"
    made = account.create(type_name, Subnets=nets, Type="application")

    found = account.client("elbv2").describe_load_balancers()["LoadBalancers"][0]
    assert found["DNSName"] == made.attributes["DNSName"] == "localhost:18080"
    account.delete(type_name, made)
    assert account.fakes.balancers_running == set()


def _answering(**answer: Any) -> Any:
    def function(event: dict[str, Any]) -> Invocation:
        request_id = event["ResponseURL"].rsplit(custom_responses.PATH, 1)[1]
        custom_responses.deliver(request_id, answer)
        return Invocation(None, None, "")

    return function


def test_a_custom_resource_is_what_its_function_answers(account: Account) -> None:
    account.fakes.function = _answering(
        Status="SUCCESS", PhysicalResourceId="made", Data={"Rules": 2}
    )

    made = account.create(CUSTOM, ServiceToken="arn:f", Bucket="b")

    assert (made.physical_id, made.attributes) == ("made", {"Rules": 2})


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (_answering(Status="FAILED", Reason="no such bucket"), "no such bucket"),
        (lambda event: Invocation({"errorMessage": "boom"}, "Unhandled", ""), "boom"),
        (_answering(Status="SUCCESS"), "PhysicalResourceId"),
    ],
    ids=["failed", "raised", "nameless"],
)
def test_a_custom_resource_fails_with_its_function(
    account: Account, function: Any, reason: str
) -> None:
    account.fakes.function = function

    with pytest.raises(CustomResourceError, match=reason):
        account.create(CUSTOM, ServiceToken="arn:f")


def test_a_custom_resource_whose_function_never_answers_fails(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.fakes.function = lambda event: Invocation(None, None, "")
    monkeypatch.setattr("local.resources.custom._ANSWER_WITHIN_S", 0.01)

    with pytest.raises(CustomResourceError, match="without an answer"):
        account.create(CUSTOM, ServiceToken="arn:f")


def test_repetitions_of_asynchronous_runs_are_refused(account: Account) -> None:
    with pytest.raises(InvalidPropertyError, match="MaximumRetryAttempts is 2"):
        account.create("AWS::Lambda::EventInvokeConfig", FunctionName="f", Qualifier="$LATEST")


def test_a_permission_on_a_missing_function_is_refused(account: Account) -> None:
    with pytest.raises(ClientError):
        account.create(
            "AWS::Lambda::Permission",
            FunctionName="missing",
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
        )
