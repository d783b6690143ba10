"""The API on EC2: an Auto Scaling group whose deploys replace one instance at a time."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from config.contracts.names import IMAGES
from stacks.constructs.instance_template import (
    boot_facts,
    grant_own_group,
    instance_role,
    instance_template,
)
from stacks.constructs.log_group import log_group
from stacks.constructs.parameters import EnvironmentParameters
from stacks.constructs.platform_stack import Place
from stacks.constructs.user_data import api_user_data
from stacks.constructs.worker_fleet import FleetSize

STOP_TIMEOUT_S = 30
#: Boot, image pull and migration, before the load balancer's opinion counts.
GRACE_S = 300


class ApiInstances(Construct):
    """Launch template, Auto Scaling group, role and log group of the API.

    A changed template rolls one instance at a time, a new one first. The first instance of a
    release migrates the database; the others find it recorded.
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        place: Place,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
        security_group: ec2.ISecurityGroup,
        targets: elbv2.IApplicationTargetGroup,
        environment: EnvironmentParameters,
        size: FleetSize,
        rollout_pause_s: int,
    ) -> None:
        super().__init__(scope, identifier)
        stack = cdk.Stack.of(self)
        self.log_group = log_group(self, "Logs", retention_days=place.log_retention_days)
        self.role = instance_role(self, "Role", description="API instances")
        self.log_group.grant_write(self.role)
        repository = ecr.Repository.from_repository_name(self, "Repository", IMAGES["api"])
        repository.grant_pull(self.role)
        environment.grant_read(self.role)
        # The group's name is generated and starts with the stack's.
        grant_own_group(self.role, self, f"{stack.stack_name}-*", "SetInstanceHealth")
        boot = boot_facts(
            stack,
            repository=IMAGES["api"],
            tag=place.image_tag,
            path=environment.path,
            log_group=self.log_group,
            stop_timeout_s=STOP_TIMEOUT_S,
        )
        template = instance_template(
            self,
            "Template",
            instance_type=size.instance_type,
            disk_gb=size.disk_gb,
            role=self.role,
            security_group=security_group,
            user_data=api_user_data(boot, release=place.image_tag),
        )
        self.group = autoscaling.AutoScalingGroup(
            self,
            "Group",
            vpc=vpc,
            vpc_subnets=subnets,
            launch_template=template,
            min_capacity=size.minimum,
            max_capacity=size.maximum,
            health_checks=autoscaling.HealthChecks.with_additional_checks(
                additional_types=[autoscaling.AdditionalHealthCheckType.ELB],
                grace_period=cdk.Duration.seconds(GRACE_S),
            ),
            update_policy=autoscaling.UpdatePolicy.rolling_update(
                min_instances_in_service=size.minimum,
                max_batch_size=1,
                pause_time=cdk.Duration.seconds(rollout_pause_s),
                wait_on_resource_signals=False,
            ),
        )
        self.group.node.add_dependency(self.role)  # permissions before the first boot
        # Not attach_to_application_target_group: it would add rules to the firewall's groups.
        resource = self.group.node.default_child
        assert isinstance(resource, autoscaling.CfnAutoScalingGroup)  # noqa: S101 - always one
        resource.target_group_arns = [targets.target_group_arn]
