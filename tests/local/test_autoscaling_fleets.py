"""Auto Scaling groups, their operations through boto3 and their instances in moto's EC2."""

from __future__ import annotations

import base64
import json
from typing import Any

import hypothesis.strategies as st
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from local.clock import ManualClock
from local.control.fleets import Fleets
from local.server import build
from local.services.autoscaling.service import AutoScalingService

ACCOUNT, REGION = "123456789012", "ap-northeast-2"
GROUP = "workers"
USER_DATA = "#!/bin/bash\necho hello\n"
TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"


class Machines:
    """Instances that run until stopped, or until a test pulls their plug."""

    def __init__(self) -> None:
        self.running: dict[str, dict[str, Any]] = {}
        self._ended: list[str] = []

    def ensure(self, instance_id: str, **facts: Any) -> None:
        self.running[instance_id] = facts

    def stop(self, instance_id: str, grace_s: float) -> None:
        self.running.pop(instance_id, None)

    def ended(self) -> list[str]:
        gone, self._ended = self._ended, []
        return gone

    def pull_the_plug(self, instance_id: str) -> None:
        del self.running[instance_id]
        self._ended.append(instance_id)


class Account:
    """moto in process with our Auto Scaling in front, and a group's template."""

    def __init__(self, machines: Machines | None = None) -> None:
        self.clock = ManualClock()
        self.machines = machines or Machines()
        self.failing: set[str] = set()
        aws = build(port=4566, clock=self.clock)
        self.clients = aws.clients
        service = aws.services["autoscaling"]
        assert isinstance(service, AutoScalingService)
        self.service = service
        self.fleets = Fleets(
            self.service.store,
            self.clients,
            self.machines,
            unhealthy=lambda arn: frozenset(self.failing),
        )
        self.autoscaling = self.clients.client("autoscaling")
        self.ec2 = self.clients.client("ec2")
        self.template = self.ec2.create_launch_template(
            LaunchTemplateName="t", LaunchTemplateData=template_data("t3.small")
        )["LaunchTemplate"]["LaunchTemplateId"]

    def create(self, **values: Any) -> None:
        if "MixedInstancesPolicy" not in values:
            latest = {"LaunchTemplateId": self.template, "Version": "$Latest"}
            values.setdefault("LaunchTemplate", latest)
        self.autoscaling.create_auto_scaling_group(
            **{
                "AutoScalingGroupName": GROUP,
                "AvailabilityZones": ["ap-northeast-2a"],
                "MinSize": 0,
                "MaxSize": 3,
                **values,
            }
        )
        self.tick()

    def tick(self, seconds: float = 1) -> None:
        self.clock.advance(seconds)
        self.fleets.tick(self.clock.now())

    def desire(self, size: int) -> None:
        self.autoscaling.set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=size)
        self.tick()

    def group(self) -> dict[str, Any]:
        found = self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])
        return found["AutoScalingGroups"][0]

    def states(self) -> dict[str, str]:
        return {i["InstanceId"]: i["LifecycleState"] for i in self.group()["Instances"]}

    def protect(self, instance_id: str, protected: bool = True) -> None:
        self.autoscaling.set_instance_protection(
            AutoScalingGroupName=GROUP,
            InstanceIds=[instance_id],
            ProtectedFromScaleIn=protected,
        )

    def leave(self, instance_id: str, *, decrement: bool) -> None:
        self.autoscaling.terminate_instance_in_auto_scaling_group(
            InstanceId=instance_id, ShouldDecrementDesiredCapacity=decrement
        )

    def hook(self, **values: Any) -> None:
        self.autoscaling.put_lifecycle_hook(
            **{
                "AutoScalingGroupName": GROUP,
                "LifecycleHookName": "drain",
                "LifecycleTransition": TERMINATING,
                "HeartbeatTimeout": 60,
                "DefaultResult": "CONTINUE",
                **values,
            }
        )

    def complete(self, instance_id: str, result: str = "CONTINUE") -> None:
        self.autoscaling.complete_lifecycle_action(
            AutoScalingGroupName=GROUP,
            LifecycleHookName="drain",
            InstanceId=instance_id,
            LifecycleActionResult=result,
        )

    def activities(self) -> list[dict[str, Any]]:
        found = self.autoscaling.describe_scaling_activities(AutoScalingGroupName=GROUP)
        return found["Activities"]


def template_data(instance_type: str) -> dict[str, Any]:
    return {
        "ImageId": "ami-12c6146b",
        "InstanceType": instance_type,
        "UserData": base64.b64encode(USER_DATA.encode()).decode(),
        "MetadataOptions": {"HttpTokens": "required"},
    }


@pytest.fixture
def account() -> Account:
    return Account()


def test_a_raised_desired_capacity_starts_machines_with_the_templates_user_data(
    account: Account,
) -> None:
    tags = [{"Key": "Name", "Value": "w", "PropagateAtLaunch": True, "ResourceId": GROUP}]
    account.create(Tags=[*tags, {"Key": "own", "Value": "x", "PropagateAtLaunch": False}])
    assert account.machines.running == {}
    account.desire(2)
    assert set(account.states().values()) == {"InService"}
    assert account.machines.running.keys() == account.states().keys()
    machine = next(iter(account.machines.running.values()))
    assert (machine["user_data"], machine["tags"]["Name"]) == (USER_DATA, "w")
    record, _ = [
        i for r in account.ec2.describe_instances()["Reservations"] for i in r["Instances"]
    ]
    tags_of_instance = {tag["Key"]: tag["Value"] for tag in record["Tags"]}
    assert tags_of_instance == {"Name": "w", "aws:autoscaling:groupName": GROUP}
    assert record["InstanceType"] == "t3.small"


def test_the_instance_carries_the_profile_of_its_template(account: Account) -> None:
    iam = account.clients.client("iam")
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument="{}")
    iam.create_instance_profile(InstanceProfileName="profile")
    iam.add_role_to_instance_profile(InstanceProfileName="profile", RoleName="worker")
    data = {**template_data("t3.small"), "IamInstanceProfile": {"Name": "profile"}}
    account.ec2.create_launch_template_version(
        LaunchTemplateId=account.template, LaunchTemplateData=data
    )
    account.create(MinSize=1)
    [reservation] = account.ec2.describe_instances()["Reservations"]
    assert reservation["Instances"][0]["IamInstanceProfile"]["Arn"].endswith("/profile")
    assert [m["profile_role"] for m in account.machines.running.values()] == ["worker"]


@pytest.mark.parametrize(("size", "words"), [(4, "above max value 3"), (0, "below min value 1")])
def test_a_desired_capacity_outside_the_limits_is_refused(
    account: Account, size: int, words: str
) -> None:
    account.create(MinSize=1)
    with pytest.raises(ClientError, match=words) as error:
        account.desire(size)
    assert error.value.response["Error"]["Code"] == "ValidationError"
    assert account.group()["DesiredCapacity"] == 1


def test_limits_that_change_take_the_desired_capacity_along(account: Account) -> None:
    account.create(DesiredCapacity=3)
    account.autoscaling.update_auto_scaling_group(AutoScalingGroupName=GROUP, MaxSize=1)
    account.tick()
    assert account.group()["DesiredCapacity"] == len(account.machines.running) == 1
    account.autoscaling.update_auto_scaling_group(AutoScalingGroupName=GROUP, MinSize=1)
    assert account.group()["DesiredCapacity"] == 1


def test_scale_in_never_ends_a_protected_instance(account: Account) -> None:
    account.create(DesiredCapacity=3, NewInstancesProtectedFromScaleIn=True)
    account.desire(0)
    assert len(account.machines.running) == 3
    free = min(account.machines.running)
    account.protect(free, False)
    account.tick()
    assert free not in account.machines.running
    assert len(account.machines.running) == 2


def test_an_idle_worker_leaves_and_takes_its_place_with_it(account: Account) -> None:
    account.create(DesiredCapacity=1, NewInstancesProtectedFromScaleIn=True)
    [worker] = account.machines.running
    account.leave(worker, decrement=True)
    account.tick()
    assert (account.group()["DesiredCapacity"], account.machines.running) == (0, {})


def test_leaving_is_refused_at_the_minimum(account: Account) -> None:
    account.create(MinSize=1)
    [worker] = account.machines.running
    with pytest.raises(ClientError, match=r"desiredSize equals minSize \(1\)"):
        account.leave(worker, decrement=True)
    assert account.states() == {worker: "InService"}


def test_leaving_twice_takes_one_place_only(account: Account) -> None:
    account.create(DesiredCapacity=2)
    account.hook()
    worker = min(account.machines.running)
    account.leave(worker, decrement=True)
    account.leave(worker, decrement=True)
    assert account.group()["DesiredCapacity"] == 1


def test_a_terminating_hook_holds_the_instance_until_completed(account: Account) -> None:
    account.create(DesiredCapacity=1)
    account.hook()
    [worker] = account.machines.running
    account.leave(worker, decrement=True)
    account.tick(59)
    assert account.states() == {worker: "Terminating:Wait"}
    assert worker in account.machines.running
    account.complete(worker)
    account.tick()
    assert account.states() == account.machines.running == {}


@pytest.mark.parametrize(("beats", "held_s"), [(0, 60), (2, 150)])
def test_a_terminating_hook_holds_until_its_time_is_over_and_heartbeats_renew_it(
    account: Account, beats: int, held_s: int
) -> None:
    account.create(DesiredCapacity=1)
    account.hook()
    [worker] = account.machines.running
    account.leave(worker, decrement=True)
    for _ in range(beats):
        account.tick(45)
        account.autoscaling.record_lifecycle_action_heartbeat(
            AutoScalingGroupName=GROUP, LifecycleHookName="drain", InstanceId=worker
        )
    account.tick(held_s - 45 * beats - 1)
    assert worker in account.machines.running
    account.tick(1)
    assert account.machines.running == {}


def test_completing_what_does_not_wait_is_an_error(account: Account) -> None:
    account.create(DesiredCapacity=1)
    account.hook()
    with pytest.raises(ClientError, match="No active Lifecycle Action found"):
        account.complete(min(account.machines.running))


@pytest.mark.parametrize(("result", "state"), [("CONTINUE", "InService"), ("ABANDON", None)])
def test_a_launching_hook_decides_whether_an_instance_serves(
    account: Account, result: str, state: str | None
) -> None:
    account.create()
    account.hook(LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING")
    account.desire(1)
    [worker] = account.machines.running
    assert account.states() == {worker: "Pending:Wait"}
    account.complete(worker, result)
    account.tick()
    assert account.states().get(worker) == state
    assert len(account.machines.running) == 1


def test_a_hook_tells_its_queue_which_instance_waits(account: Account) -> None:
    sqs = account.clients.client("sqs")
    url = sqs.create_queue(QueueName="hooks")["QueueUrl"]
    account.create(DesiredCapacity=1)
    account.hook(NotificationTargetARN=f"arn:aws:sqs:{REGION}:{ACCOUNT}:hooks", RoleARN="arn:x")
    [worker] = account.machines.running
    account.leave(worker, decrement=True)
    account.tick()
    account.tick()
    [message] = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    body = json.loads(message["Body"])
    assert (body["EC2InstanceId"], body["LifecycleTransition"]) == (worker, TERMINATING)
    account.autoscaling.complete_lifecycle_action(
        AutoScalingGroupName=GROUP,
        LifecycleHookName="drain",
        LifecycleActionToken=body["LifecycleActionToken"],
        LifecycleActionResult="CONTINUE",
    )
    account.tick()
    assert account.machines.running == {}


def test_an_instance_terminated_from_outside_is_replaced(account: Account) -> None:
    account.create(DesiredCapacity=1, NewInstancesProtectedFromScaleIn=True)
    [lost] = account.machines.running
    account.ec2.terminate_instances(InstanceIds=[lost])
    account.tick()
    [worker] = account.states()
    assert worker != lost
    assert list(account.machines.running) == [worker]


def test_a_machine_that_ends_by_itself_is_replaced_and_its_record_ends(account: Account) -> None:
    account.create(DesiredCapacity=1)
    account.hook()
    [lost] = account.machines.running
    account.machines.pull_the_plug(lost)
    account.tick()
    [worker] = account.machines.running
    assert worker != lost
    [reservation] = account.ec2.describe_instances(InstanceIds=[lost])["Reservations"]
    assert reservation["Instances"][0]["State"]["Name"] == "terminated"


def test_an_unhealthy_instance_is_replaced_protected_or_not(account: Account) -> None:
    account.create(DesiredCapacity=1, NewInstancesProtectedFromScaleIn=True)
    [sick] = account.machines.running
    account.autoscaling.set_instance_health(InstanceId=sick, HealthStatus="Unhealthy")
    account.tick()
    [worker] = account.machines.running
    assert worker != sick


def test_within_the_grace_period_unhealthy_counts_only_when_told_so(account: Account) -> None:
    account.create(DesiredCapacity=1, HealthCheckGracePeriod=300)
    [worker] = account.machines.running
    health = {"InstanceId": worker, "HealthStatus": "Unhealthy"}
    account.autoscaling.set_instance_health(**health)
    account.tick()
    assert list(account.machines.running) == [worker]
    account.autoscaling.set_instance_health(**health, ShouldRespectGracePeriod=False)
    account.tick()
    assert worker not in account.machines.running


def target_group(account: Account) -> str:
    vpc = account.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return account.clients.client("elbv2").create_target_group(
        Name="api", Protocol="HTTP", Port=8000, VpcId=vpc
    )["TargetGroups"][0]["TargetGroupArn"]


def registered(account: Account, arn: str) -> list[str]:
    found = account.clients.client("elbv2").describe_target_health(TargetGroupArn=arn)
    return [d["Target"]["Id"] for d in found["TargetHealthDescriptions"]]


def test_instances_in_service_stand_behind_the_target_groups(account: Account) -> None:
    arn = target_group(account)
    account.create(DesiredCapacity=1, TargetGroupARNs=[arn])
    account.hook()
    [worker] = account.machines.running
    assert registered(account, arn) == [worker]
    account.leave(worker, decrement=True)
    account.tick()
    assert account.states() == {worker: "Terminating:Wait"}
    assert registered(account, arn) == []


def test_a_failing_load_balancer_check_replaces_after_the_grace_period(account: Account) -> None:
    arn = target_group(account)
    account.create(
        DesiredCapacity=1, TargetGroupARNs=[arn], HealthCheckType="ELB", HealthCheckGracePeriod=30
    )
    [sick] = account.machines.running
    account.failing.add(sick)
    account.tick(29)
    assert list(account.machines.running) == [sick]
    account.tick(1)
    assert sick not in account.machines.running
    assert len(account.machines.running) == 1


def test_a_launch_that_fails_is_an_activity_and_is_tried_again(account: Account) -> None:
    account.create()
    account.ec2.delete_launch_template(LaunchTemplateId=account.template)
    account.desire(1)
    [failed] = account.activities()
    assert failed["StatusCode"] == "Failed"
    assert account.template in failed["StatusMessage"]
    account.tick(1)
    assert len(account.activities()) == 1
    account.tick(60)
    assert len(account.activities()) == 2


def test_activities_say_what_happened_and_why(account: Account) -> None:
    account.create()
    account.desire(1)
    [worker] = account.machines.running
    [launch] = account.activities()
    assert launch["Description"] == f"Launching a new EC2 instance: {worker}"
    assert "changing the desired capacity from 0 to 1" in launch["Cause"]
    assert "increasing the capacity from 0 to 1" in launch["Cause"]
    assert launch["StatusCode"] == "Successful"
    account.desire(0)
    [end, _] = account.activities()
    assert end["Description"] == f"Terminating EC2 instance: {worker}"
    assert "shrinking the capacity from 1 to 0" in end["Cause"]


def test_suspended_processes_neither_launch_nor_terminate(account: Account) -> None:
    account.create()
    account.autoscaling.suspend_processes(AutoScalingGroupName=GROUP, ScalingProcesses=["Launch"])
    account.desire(1)
    assert account.machines.running == {}
    account.autoscaling.resume_processes(AutoScalingGroupName=GROUP)
    account.tick()
    assert len(account.machines.running) == 1
    account.autoscaling.suspend_processes(
        AutoScalingGroupName=GROUP, ScalingProcesses=["Terminate"]
    )
    account.desire(0)
    assert len(account.machines.running) == 1


def refresh(account: Account, **preferences: Any) -> None:
    account.autoscaling.start_instance_refresh(
        AutoScalingGroupName=GROUP, Preferences={"InstanceWarmup": 10, **preferences}
    )


def refresh_status(account: Account) -> str:
    found = account.autoscaling.describe_instance_refreshes(AutoScalingGroupName=GROUP)
    return found["InstanceRefreshes"][0]["Status"]


def new_template(account: Account) -> None:
    account.ec2.create_launch_template_version(
        LaunchTemplateId=account.template, LaunchTemplateData=template_data("t3.large")
    )


def test_a_refresh_waits_for_a_protected_instance(account: Account) -> None:
    account.create(DesiredCapacity=2, NewInstancesProtectedFromScaleIn=True)
    busy, idle = sorted(account.machines.running)
    account.protect(idle, False)
    new_template(account)
    refresh(account, MinHealthyPercentage=0, ScaleInProtectedInstances="Wait")
    for _ in range(5):
        account.tick(20)
    assert busy in account.machines.running
    assert idle not in account.machines.running
    assert refresh_status(account) == "InProgress"
    account.protect(busy, False)
    for _ in range(3):
        account.tick(20)
    assert busy not in account.machines.running
    assert refresh_status(account) == "Successful"
    kinds = {i["InstanceType"] for i in account.group()["Instances"]}
    assert kinds == {"t3.large"}


def test_at_full_health_a_refresh_starts_the_new_before_it_ends_the_old(account: Account) -> None:
    account.create(MinSize=1, MaxSize=1)
    [old] = account.machines.running
    new_template(account)
    refresh(account, MinHealthyPercentage=100)
    account.tick()
    [new] = set(account.machines.running) - {old}
    account.tick(9)
    assert set(account.machines.running) == {old, new}
    for _ in range(3):
        account.tick(10)
    assert set(account.machines.running) == {new}
    assert refresh_status(account) == "Successful"


def test_a_refresh_of_an_empty_group_is_done_at_once_and_a_second_is_refused_while_one_runs(
    account: Account,
) -> None:
    account.create()
    refresh(account)
    account.tick()
    assert refresh_status(account) == "Successful"
    account.desire(1)
    refresh(account)
    with pytest.raises(account.autoscaling.exceptions.InstanceRefreshInProgressFault):
        refresh(account)
    account.autoscaling.cancel_instance_refresh(AutoScalingGroupName=GROUP)
    assert refresh_status(account) == "Cancelled"


def test_a_group_with_instances_is_deleted_by_force_only(account: Account) -> None:
    account.create(DesiredCapacity=2)
    account.hook()
    with pytest.raises(account.autoscaling.exceptions.ResourceInUseFault):
        account.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=GROUP)
    account.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=GROUP, ForceDelete=True)
    account.tick()
    assert account.machines.running == {}
    assert account.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"] == []


@pytest.mark.parametrize(
    "values",
    [
        {"PlacementGroup": "x"},
        {"TerminationPolicies": ["AllocationStrategy"]},
        {"MinSize": 4},
        {"LaunchTemplate": {"LaunchTemplateName": "nothing"}},
    ],
)
def test_what_is_not_played_or_wrong_is_refused(account: Account, values: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as error:
        account.create(**values)
    assert error.value.response["Error"]["Code"] == "ValidationError"
    assert account.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"] == []


def test_tracking_of_another_metric_is_refused_loudly(account: Account) -> None:
    account.create()
    with pytest.raises(ClientError, match="TargetTrackingScaling"):
        account.autoscaling.put_scaling_policy(
            AutoScalingGroupName=GROUP,
            PolicyName="p",
            PolicyType="TargetTrackingScaling",
            TargetTrackingConfiguration={"TargetValue": 1.0},
        )


def test_mixed_instances_keep_the_on_demand_base_and_go_on_with_spot(account: Account) -> None:
    account.create()
    account.autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=GROUP,
        MixedInstancesPolicy={
            "LaunchTemplate": {
                "LaunchTemplateSpecification": {"LaunchTemplateId": account.template},
                "Overrides": [{"InstanceType": "c7g.large"}, {"InstanceType": "m7g.large"}],
            },
            "InstancesDistribution": {
                "OnDemandBaseCapacity": 1,
                "OnDemandPercentageAboveBaseCapacity": 0,
                "SpotAllocationStrategy": "price-capacity-optimized",
            },
        },
        CapacityRebalance=True,
    )
    account.desire(3)
    records = [i for r in account.ec2.describe_instances()["Reservations"] for i in r["Instances"]]
    assert sorted((i.get("InstanceLifecycle", ""), i["InstanceType"]) for i in records) == [
        ("", "c7g.large"),
        ("spot", "c7g.large"),
        ("spot", "m7g.large"),
    ]
    shown = account.group()
    assert {i["InstanceId"]: i["InstanceType"] for i in shown["Instances"]} == {
        i["InstanceId"]: i["InstanceType"] for i in records
    }
    assert shown["CapacityRebalance"]


def test_a_distribution_alone_keeps_the_template_and_rules_the_next_launches(
    account: Account,
) -> None:
    specification = {"LaunchTemplateId": account.template, "Version": "$Latest"}
    overrides = [{"InstanceType": "c7g.large"}]
    spread = {"OnDemandPercentageAboveBaseCapacity": 0, "SpotAllocationStrategy": "lowest-price"}
    account.create(
        MixedInstancesPolicy={
            "LaunchTemplate": {
                "LaunchTemplateSpecification": specification,
                "Overrides": overrides,
            },
            "InstancesDistribution": spread,
        },
    )

    def share(percent: int) -> None:
        given = {"InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": percent}}
        account.autoscaling.update_auto_scaling_group(
            AutoScalingGroupName=GROUP, MixedInstancesPolicy=given
        )

    account.desire(1)
    share(100)
    account.desire(2)
    share(0)
    account.desire(3)
    records = [i for r in account.ec2.describe_instances()["Reservations"] for i in r["Instances"]]
    assert [i.get("InstanceLifecycle") for i in records] == ["spot", None, "spot"]
    mixed = account.group()["MixedInstancesPolicy"]
    assert mixed["InstancesDistribution"] == spread
    assert mixed["LaunchTemplate"]["Overrides"] == overrides
    assert {i["InstanceType"] for i in records} == {"c7g.large"}


def test_a_group_without_a_mix_needs_a_template_for_one(account: Account) -> None:
    account.create()
    with pytest.raises(ClientError, match="must be created with a LaunchTemplate"):
        account.autoscaling.update_auto_scaling_group(
            AutoScalingGroupName=GROUP,
            MixedInstancesPolicy={
                "InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 1}
            },
        )
    assert "MixedInstancesPolicy" not in account.group()


@pytest.mark.parametrize(
    ("distribution", "words"),
    [
        ({"SpotAllocationStrategy": "cheapest"}, "'cheapest' is not valid; allowed: lowest-price"),
        ({"OnDemandPercentageAboveBaseCapacity": 101}, "101 is not valid; allowed: 0 to 100"),
    ],
)
def test_an_impossible_mix_is_refused(
    account: Account, distribution: dict[str, Any], words: str
) -> None:
    account.create()
    template = {"LaunchTemplateSpecification": {"LaunchTemplateId": account.template}}
    policy = {"LaunchTemplate": template, "InstancesDistribution": distribution}
    with pytest.raises(ClientError, match=words):
        account.autoscaling.update_auto_scaling_group(
            AutoScalingGroupName=GROUP, MixedInstancesPolicy=policy
        )


class FleetLife(RuleBasedStateMachine):
    """Whatever is asked: limits hold, protected instances live, machines match the group."""

    def __init__(self) -> None:
        super().__init__()
        self.account = Account()
        self.protected: set[str] = set()

    @initialize(minimum=st.integers(0, 1))
    def group(self, minimum: int) -> None:
        self.account.create(MinSize=minimum, DesiredCapacity=1)

    def _some(self, choice: int) -> str | None:
        serving = sorted(i for i, s in self.account.states().items() if s == "InService")
        return serving[choice % len(serving)] if serving else None

    @rule(size=st.integers(-1, 5))
    def desire(self, size: int) -> None:
        try:
            self.account.desire(max(size, 0))
        except ClientError as error:
            assert "value" in str(error)

    @rule(choice=st.integers(0, 5), protected=st.booleans())
    def protect(self, choice: int, protected: bool) -> None:
        if worker := self._some(choice):
            self.account.protect(worker, protected)
            (self.protected.add if protected else self.protected.discard)(worker)

    @rule(choice=st.integers(0, 5))
    def leave(self, choice: int) -> None:
        if worker := self._some(choice):
            try:
                self.account.leave(worker, decrement=True)
            except ClientError as error:
                assert "desiredSize equals minSize" in str(error)
            else:
                self.protected.discard(worker)

    @rule(seconds=st.integers(0, 100))
    def wait(self, seconds: int) -> None:
        self.account.tick(seconds)

    @invariant()
    def all_is_well(self) -> None:
        if not self.account.service.store.groups:
            return
        group = self.account.group()
        assert group["MinSize"] <= group["DesiredCapacity"] <= group["MaxSize"]
        assert self.protected <= self.account.machines.running.keys()
        assert self.account.states().keys() == self.account.machines.running.keys()


TestFleetLife = FleetLife.TestCase
TestFleetLife.settings = settings(
    max_examples=6,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
