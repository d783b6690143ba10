"""Warm pools of the embedded Auto Scaling: instances stand prepared, and start when wanted."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.control.group_metrics import GroupMetrics
from local.services.autoscaling.model import Group, WarmPool
from local.services.autoscaling.warm_pools import pool_size
from tests.local.test_autoscaling_fleets import GROUP, Account, Machines, template_data

LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"


class PoolMachines(Machines):
    """Machines that can be halted; it takes them until a test lets them."""

    def __init__(self) -> None:
        super().__init__()
        self.halted: dict[str, dict[str, Any]] = {}
        self.slow = False
        self.started: list[str] = []

    def halt(self, instance_id: str, grace_s: float) -> None:
        if not self.slow and instance_id in self.running:
            self.halted[instance_id] = self.running.pop(instance_id)

    def start(self, instance_id: str) -> None:
        self.running[instance_id] = self.halted.pop(instance_id)
        self.started.append(instance_id)

    def runs(self, instance_id: str) -> bool:
        return instance_id in self.running

    def stop(self, instance_id: str, grace_s: float) -> None:
        self.halted.pop(instance_id, None)
        super().stop(instance_id, grace_s)


class PoolAccount(Account):
    """An account whose group has a warm pool."""

    def __init__(self) -> None:
        self.pool_machines = PoolMachines()
        super().__init__(self.pool_machines)

    def pooled(self, size: int = 1, **values: Any) -> None:
        self.create(NewInstancesProtectedFromScaleIn=True, **values)
        self.put(MinSize=size, MaxGroupPreparedCapacity=size)

    def put(self, **values: Any) -> None:
        self.autoscaling.put_warm_pool(AutoScalingGroupName=GROUP, **values)
        self.tick()

    def pool(self) -> dict[str, str]:
        found = self.autoscaling.describe_warm_pool(AutoScalingGroupName=GROUP)["Instances"]
        return {each["InstanceId"]: each["LifecycleState"] for each in found}

    def record(self, instance_id: str) -> str:
        [reservation] = self.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"]
        return str(reservation["Instances"][0]["State"]["Name"])


@pytest.fixture(scope="module")
def one_account() -> PoolAccount:
    return PoolAccount()


@pytest.fixture
def account(one_account: PoolAccount) -> Iterator[PoolAccount]:
    """That account; it has no group before the test and none after it."""
    one_account.pool_machines.started.clear()
    yield one_account
    one_account.pool_machines.slow = False
    if one_account.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]:
        one_account.autoscaling.delete_auto_scaling_group(
            AutoScalingGroupName=GROUP, ForceDelete=True
        )
    one_account.tick()
    assert one_account.machines.running == {}


def test_the_pool_is_filled_with_stopped_instances_that_are_no_capacity(
    account: PoolAccount,
) -> None:
    account.pooled(2)
    account.tick()
    assert list(account.pool().values()) == ["Warmed:Stopped"] * 2
    assert {account.record(each) for each in account.pool()} == {"stopped"}
    assert account.machines.running == {}
    assert account.pool_machines.halted.keys() == account.pool().keys()
    group = account.group()
    assert (group["DesiredCapacity"], group["Instances"]) == (0, [])
    assert group["WarmPoolSize"] == 2
    assert group["WarmPoolConfiguration"] == {
        "MinSize": 2,
        "MaxGroupPreparedCapacity": 2,
        "PoolState": "Stopped",
    }


def test_a_launch_takes_from_the_pool_first_and_the_pool_is_filled_up_again(
    account: PoolAccount,
) -> None:
    account.pooled(1)
    account.tick()
    [ready] = account.pool()
    account.desire(2)
    assert account.pool_machines.started == [ready]
    assert len(account.states()) == 2
    assert account.states()[ready] == "InService"
    assert account.record(ready) == "running"
    account.tick()
    assert list(account.pool().values()) == ["Warmed:Stopped"]
    assert ready not in account.pool()
    descriptions = [each["Description"] for each in account.activities()]
    assert f"Launching a new EC2 instance from warm pool: {ready}" in descriptions


def test_the_launching_hook_holds_an_instance_until_it_is_prepared_and_again_when_it_starts(
    account: PoolAccount,
) -> None:
    account.create()
    account.hook(LifecycleTransition=LAUNCHING, DefaultResult="ABANDON")
    account.put(MinSize=1, MaxGroupPreparedCapacity=1)
    account.tick()
    [instance] = account.pool()
    assert account.pool() == {instance: "Warmed:Pending:Wait"}
    assert instance in account.machines.running
    account.complete(instance)
    account.pool_machines.slow = True
    account.tick()
    assert account.pool() == {instance: "Warmed:Pending"}, "it is still shutting down"
    account.pool_machines.slow = False
    account.tick()
    assert account.pool() == {instance: "Warmed:Stopped"}
    account.desire(1)
    assert account.states() == {instance: "Pending:Wait"}
    account.complete(instance)
    assert account.states() == {instance: "InService"}


@pytest.mark.parametrize("how", ["abandoned", "timed out"])
def test_a_preparation_that_is_given_up_is_tried_with_another_instance(
    account: PoolAccount, how: str
) -> None:
    account.create()
    account.hook(LifecycleTransition=LAUNCHING, DefaultResult="ABANDON")
    account.put(MinSize=1, MaxGroupPreparedCapacity=1)
    [first] = account.pool()
    if how == "abandoned":
        account.complete(first, "ABANDON")
    account.tick(61)
    account.tick()
    [second] = account.pool()
    assert second != first
    assert account.record(first) == "terminated"


def test_an_instance_whose_machine_breaks_down_in_its_preparation_is_replaced(
    account: PoolAccount,
) -> None:
    account.create()
    account.hook(LifecycleTransition=LAUNCHING)
    account.put(MinSize=1)
    first = min(account.pool())
    account.machines.pull_the_plug(first)
    account.tick()
    account.tick()
    assert first not in account.pool()
    assert len(account.pool()) == 3, "as many as the group may have at most"


def test_stopped_instances_that_somebody_ends_make_place_for_the_newest_version(
    account: PoolAccount,
) -> None:
    account.pooled(1)
    account.tick()
    [old] = account.pool()
    account.ec2.create_launch_template_version(
        LaunchTemplateId=account.template, LaunchTemplateData=template_data("t3.large")
    )
    account.tick()
    assert list(account.pool()) == [old], "a deploy alone replaces nothing"
    account.ec2.terminate_instances(InstanceIds=[old])
    for _ in range(3):
        account.tick()
    [new] = account.autoscaling.describe_warm_pool(AutoScalingGroupName=GROUP)["Instances"]
    assert (new["LifecycleState"], new["InstanceType"]) == ("Warmed:Stopped", "t3.large")


def test_one_that_does_not_start_is_taken_out_and_another_is_launched(
    account: PoolAccount,
) -> None:
    account.pooled(1)
    account.tick()
    [ready] = account.pool()
    account.pool_machines.halted.clear()
    account.desire(1)
    for _ in range(3):
        account.tick()
    assert ready not in account.states()
    assert list(account.states().values()) == ["InService"]
    assert list(account.pool().values()) == ["Warmed:Stopped"]


def test_a_pool_shrinks_and_goes_with_its_instances(account: PoolAccount) -> None:
    account.pooled(3)
    account.tick()
    account.put(MinSize=1, MaxGroupPreparedCapacity=1)
    account.tick()
    assert len(account.pool()) == 1
    account.autoscaling.delete_warm_pool(AutoScalingGroupName=GROUP, ForceDelete=True)
    account.tick()
    assert account.pool() == {}
    assert account.pool_machines.halted == {}
    assert "WarmPoolConfiguration" not in account.group()
    account.desire(1)
    assert list(account.states().values()) == ["InService"]


def test_a_group_takes_its_pool_along_when_it_is_deleted(account: PoolAccount) -> None:
    account.pooled(2)
    account.tick()
    account.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=GROUP, ForceDelete=True)
    account.tick()
    assert (account.machines.running, account.pool_machines.halted) == ({}, {})
    assert account.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"] == []


def test_an_instance_of_the_pool_is_known_and_cannot_be_ended_as_those_in_service(
    account: PoolAccount,
) -> None:
    account.pooled(1)
    account.tick()
    [ready] = account.pool()
    [shown] = account.autoscaling.describe_auto_scaling_instances()["AutoScalingInstances"]
    assert (shown["InstanceId"], shown["LifecycleState"]) == (ready, "Warmed:Stopped")
    with pytest.raises(ClientError, match="is in the warm pool"):
        account.leave(ready, decrement=False)


def test_metrics_count_the_pool_apart_from_the_capacity(account: PoolAccount) -> None:
    account.pooled(2)
    account.autoscaling.enable_metrics_collection(AutoScalingGroupName=GROUP, Granularity="1Minute")
    account.tick()
    account.desire(1)
    [(_, values)] = GroupMetrics(account.clients, account.service.store).read()
    counts = {name: value for name, (value, _) in values.items()}
    assert (counts["GroupInServiceInstances"], counts["GroupTotalInstances"]) == (1, 1)
    assert (counts["WarmPoolWarmedCapacity"], counts["WarmPoolPendingCapacity"]) == (2, 0)
    assert counts["GroupAndWarmPoolTotalCapacity"] == 3


SPOT = {"OnDemandPercentageAboveBaseCapacity": 0, "SpotAllocationStrategy": "lowest-price"}


def test_spot_and_a_warm_pool_exclude_each_other(account: PoolAccount) -> None:
    mix = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": {"LaunchTemplateId": account.template},
            "Overrides": [{"InstanceType": "c7g.large"}, {"InstanceType": "m7g.large"}],
        },
        "InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 100},
    }
    account.pooled(1, MixedInstancesPolicy=mix)
    with pytest.raises(ClientError, match="requests Spot"):
        account.autoscaling.update_auto_scaling_group(
            AutoScalingGroupName=GROUP,
            MixedInstancesPolicy={**mix, "InstancesDistribution": SPOT},
        )
    account.autoscaling.delete_warm_pool(AutoScalingGroupName=GROUP)
    account.autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=GROUP, MixedInstancesPolicy={**mix, "InstancesDistribution": SPOT}
    )
    with pytest.raises(ClientError, match="requests Spot"):
        account.put(MinSize=1)


@pytest.mark.parametrize(
    "values", [{"PoolState": "Running"}, {"InstanceReusePolicy": {"ReuseOnScaleIn": True}}]
)
def test_what_a_pool_does_not_play_is_refused(account: PoolAccount, values: dict[str, Any]) -> None:
    account.create()
    with pytest.raises(ClientError, match="not play"):
        account.put(**values)


@pytest.mark.parametrize(
    ("minimum", "prepared", "desired", "size"),
    [
        (0, None, 0, 10),
        (0, None, 7, 3),
        (2, None, 10, 2),
        (0, 4, 1, 3),
        (0, 4, 6, 0),
        (3, 3, 0, 3),
        (3, 3, 10, 3),
    ],
)
def test_how_large_a_pool_is_to_be(
    minimum: int, prepared: int | None, desired: int, size: int
) -> None:
    group = Group("g", "arn", {}, 0, 10, desired, 0.0, pool=WarmPool(minimum, prepared))
    assert pool_size(group) == size


def test_whatever_is_wanted_the_pool_stands_and_machines_match(account: PoolAccount) -> None:
    account.create()
    wishes = random.Random(7)  # noqa: S311 - the same walk each time
    for _ in range(12):
        size, desired = wishes.randint(0, 3), wishes.randint(0, 3)
        account.put(MinSize=size, MaxGroupPreparedCapacity=size)
        account.desire(desired)
        account.tick()
        account.tick()
        assert account.machines.running.keys() == account.states().keys()
        assert account.pool_machines.halted.keys() == account.pool().keys()
        assert (len(account.states()), len(account.pool())) == (desired, size)
