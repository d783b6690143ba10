"""A fleet of workers of one kind: comes with the backlog, leaves by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from constructs import Construct

from config.contracts.names import IMAGES, worker_group_name
from stacks.constructs.acknowledge import NO_RESOURCE, acknowledge, grant_pattern
from stacks.constructs.boot_outcome import TERMINATION_HOOK, WorkerBoot
from stacks.constructs.instance_template import (
    NO_NOTIFICATIONS,
    SCRATCH_DEVICE,
    boot_facts,
    grant_own_group,
    grant_pull,
    instance_role,
    instance_template,
)
from stacks.constructs.log_group import log_group
from stacks.constructs.parameters import EnvironmentParameters
from stacks.constructs.platform_stack import Place
from stacks.constructs.warm_pool import warm_pool
from stacks.constructs.worker_user_data import worker_user_data

#: What a worker asks: is it still in service, and what does its group launch from.
QUESTIONS = ("autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeAutoScalingInstances")
#: What a worker does to itself: keep or give up its protection, leave, report a failed boot.
OWN_GROUP_ACTIONS = (
    "CompleteLifecycleAction",
    "SetInstanceHealth",
    "SetInstanceProtection",
    "TerminateInstanceInAutoScalingGroup",
)


@dataclass(frozen=True)
class WorkerSize:
    """What a fleet is made of.

    Instances between `minimum` and `maximum` of any of `instance_types`: the first
    `on_demand_base` on demand, of those above `spot_percent` per cent Spot. Disks in GiB: the
    system's, and `scratch_gb` for the jobs' temporary files, None for none. `warm` instances stand
    prepared and stopped, 0 for no warm pool.
    """

    instance_types: Sequence[str]
    on_demand_base: int
    spot_percent: int
    disk_gb: int
    scratch_gb: int | None
    minimum: int
    maximum: int
    warm: int


class WorkerFleet(Construct):
    """Launch template, Auto Scaling group, role and log group of worker kind `kind`.

    The group carries the documented name. An instance is protected from scale-in from its launch
    on; no deploy sets a desired capacity or replaces a running instance: the worker itself gives
    up its protection and leaves. Spot comes from the pool that is cheap and likely to last. The
    role can touch its own group alone.
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        kind: str,
        place: Place,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
        security_group: ec2.ISecurityGroup,
        parameters: Sequence[EnvironmentParameters],
        environment: Mapping[str, str],
        size: WorkerSize,
        stop_timeout_s: int,
        termination_wait_s: int,
        boot_limit_s: int,
        probe_every_s: int,
    ) -> None:
        super().__init__(scope, identifier)
        stack = cdk.Stack.of(self)
        self.kind = kind
        self.group_name = worker_group_name(place.environment, kind)
        self.log_group = log_group(self, "Logs", retention_days=place.log_retention_days)
        self.role = instance_role(self, "Role", description=f"Workers of kind {kind}")
        self.log_group.grant_write(self.role)
        repository = ecr.Repository.from_repository_name(self, "Repository", IMAGES[kind])
        grant_pull(self.role, repository)
        for each in parameters:
            each.grant_read(self.role)
        grant_own_group(self.role, self, self.group_name, *OWN_GROUP_ACTIONS)
        grant_pattern(self.role, actions=QUESTIONS, arns=["*"], reason=NO_RESOURCE)
        boot = boot_facts(
            stack,
            repository=IMAGES[kind],
            tag=place.image_tag,
            paths=[each.path for each in parameters],
            log_group=self.log_group,
            stop_timeout_s=stop_timeout_s,
        )
        template = instance_template(
            self,
            "Template",
            instance_type=size.instance_types[0],
            disk_gb=size.disk_gb,
            scratch_gb=size.scratch_gb,
            role=self.role,
            security_group=security_group,
            user_data=worker_user_data(
                boot,
                WorkerBoot(
                    environment=place.environment,
                    kind=kind,
                    group=self.group_name,
                    container=IMAGES[kind],
                    variables=environment,
                    scratch=SCRATCH_DEVICE if size.scratch_gb else None,
                    limit_s=boot_limit_s,
                    probe_every_s=probe_every_s,
                    pooled=size.warm > 0,
                ),
            ),
        )
        self.group = autoscaling.AutoScalingGroup(
            self,
            "Group",
            auto_scaling_group_name=self.group_name,
            vpc=vpc,
            vpc_subnets=subnets,
            mixed_instances_policy=_mix(template, size),
            # AWS would end a busy encoder for what may never become an interruption.
            capacity_rebalance=False,
            min_capacity=size.minimum,
            max_capacity=size.maximum,
            new_instances_protected_from_scale_in=True,
            group_metrics=[autoscaling.GroupMetrics.all()],
        )
        acknowledge(self.group, "AS3", NO_NOTIFICATIONS)
        acknowledge(
            self.group,
            "EC26",
            "The rule cannot read a policy of mixed instances; the template encrypts each disk",
        )
        self.group.node.add_dependency(self.role)  # permissions before the first boot
        self.group.add_lifecycle_hook(
            "Drain",
            lifecycle_hook_name=TERMINATION_HOOK,
            lifecycle_transition=autoscaling.LifecycleTransition.INSTANCE_TERMINATING,
            default_result=autoscaling.DefaultResult.CONTINUE,
            heartbeat_timeout=cdk.Duration.seconds(termination_wait_s),
        )
        if size.warm:
            warm_pool(self, self.group, size=size.warm, boot_limit_s=boot_limit_s)


def _mix(template: ec2.LaunchTemplate, size: WorkerSize) -> autoscaling.MixedInstancesPolicy:
    return autoscaling.MixedInstancesPolicy(
        launch_template=template,
        launch_template_overrides=[
            autoscaling.LaunchTemplateOverrides(instance_type=ec2.InstanceType(name))
            for name in size.instance_types
        ],
        instances_distribution=autoscaling.InstancesDistribution(
            on_demand_base_capacity=size.on_demand_base,
            on_demand_percentage_above_base_capacity=100 - size.spot_percent,
            spot_allocation_strategy=autoscaling.SpotAllocationStrategy.PRICE_CAPACITY_OPTIMIZED,
        ),
    )
