"""The API on EC2: an Auto Scaling group whose releases are told apart by its own instances."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from constructs import Construct

from config.contracts.names import IMAGES
from stacks.constructs.acknowledge import NO_RESOURCE, acknowledge, grant_pattern
from stacks.constructs.api_service import MINUTE, ApiProps
from stacks.constructs.api_user_data import Rollout, api_user_data
from stacks.constructs.instance_template import (
    NO_NOTIFICATIONS,
    boot_facts,
    grant_own_group,
    grant_pull,
    instance_role,
    instance_template,
)
from stacks.constructs.log_group import log_group

STOP_TIMEOUT_S = 30
#: Beyond boot and bake: the time between a launch and the first line of the script.
MARGIN_S = 120
#: What the boot script signals to: a reference would make group and launch template circular.
GROUP_ID = "ApiGroup"


class ApiInstances(Construct):
    """Launch template, Auto Scaling group, role and log group of the API.

    A changed template replaces one instance at a time, a new one first. CloudFormation waits for
    what the instance itself says (constructs/api_user_data.py): without its SUCCESS it brings the
    former template back. The first instance of a release migrates the database.
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        props: ApiProps,
        instance_type: str,
        disk_gb: int,
        boot_s: int,
        bake_s: int,
    ) -> None:
        super().__init__(scope, identifier)
        self._props = props
        self.release_alarms = props.release_alarms
        self.log_group = log_group(self, "Logs", retention_days=props.place.log_retention_days)
        self.role = self._role()
        verdict = cdk.Duration.seconds(boot_s + bake_s + MARGIN_S)
        self.group = autoscaling.AutoScalingGroup(
            self,
            "Group",
            vpc=props.vpc,
            vpc_subnets=props.subnets,
            launch_template=self._template(instance_type, disk_gb, boot_s, bake_s),
            min_capacity=props.minimum,
            max_capacity=props.maximum,
            health_checks=autoscaling.HealthChecks.with_additional_checks(
                additional_types=[autoscaling.AdditionalHealthCheckType.ELB],
                grace_period=cdk.Duration.seconds(boot_s),
            ),
            signals=autoscaling.Signals.wait_for_min_capacity(timeout=verdict),
            update_policy=autoscaling.UpdatePolicy.rolling_update(
                min_instances_in_service=props.minimum,
                max_batch_size=1,
                pause_time=verdict,
                wait_on_resource_signals=True,
                suspend_processes=[
                    autoscaling.ScalingProcess.ALARM_NOTIFICATION,
                    autoscaling.ScalingProcess.AZ_REBALANCE,
                    autoscaling.ScalingProcess.HEALTH_CHECK,
                    autoscaling.ScalingProcess.REPLACE_UNHEALTHY,
                    autoscaling.ScalingProcess.SCHEDULED_ACTIONS,
                ],
            ),
        )
        acknowledge(self.group, "AS3", NO_NOTIFICATIONS)
        self._follow_cpu()
        # Permissions before the first boot, and a listener: no target is healthy without one.
        self.group.node.add_dependency(self.role, props.targets.load_balancer_attached)
        # Not attach_to_application_target_group: it would add rules to the firewall's groups.
        resource = self.group.node.default_child
        assert isinstance(resource, autoscaling.CfnAutoScalingGroup)  # noqa: S101 - always one
        resource.target_group_arns = [props.targets.target_group_arn]
        resource.override_logical_id(GROUP_ID)

    def _follow_cpu(self) -> None:
        self.group.scale_on_cpu_utilization(
            "Cpu", target_utilization_percent=self._props.cpu_target_percent
        )
        self.cpu = cloudwatch.Metric(
            namespace="AWS/EC2",
            metric_name="CPUUtilization",
            dimensions_map={"AutoScalingGroupName": self.group.auto_scaling_group_name},
            period=MINUTE,
        )

    def _role(self) -> iam.Role:
        """What the boot script and the containers share; CDK adds SignalResource by itself."""
        stack, props = cdk.Stack.of(self), self._props
        role = instance_role(self, "Role", description="API instances")
        self.log_group.grant_write(role)
        repository = ecr.Repository.from_repository_name(self, "Repository", IMAGES["api"])
        grant_pull(role, repository)
        props.environment.grant_read(role)
        # The group's name is generated and starts with the stack's.
        grant_own_group(role, self, f"{stack.stack_name}-*", "SetInstanceHealth")
        iam.Grant.add_to_principal(
            grantee=role,
            actions=["cloudformation:DescribeStacks"],
            resource_arns=[stack.stack_id],
        )
        grant_pattern(
            role,
            actions=["cloudwatch:DescribeAlarms"],
            arns=[
                stack.format_arn(
                    service="cloudwatch",
                    resource="alarm",
                    resource_name="*",
                    arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                )
            ],
            reason="CloudWatch asks for the permission on all alarms, whichever are named",
        )
        grant_pattern(
            role,
            actions=["elasticloadbalancing:DescribeTargetHealth"],
            arns=["*"],
            reason=NO_RESOURCE,
        )
        return role

    def _template(
        self, instance_type: str, disk_gb: int, boot_s: int, bake_s: int
    ) -> ec2.LaunchTemplate:
        stack, props = cdk.Stack.of(self), self._props
        boot = boot_facts(
            stack,
            repository=IMAGES["api"],
            tag=props.place.image_tag,
            paths=[props.environment.path],
            log_group=self.log_group,
            stop_timeout_s=STOP_TIMEOUT_S,
        )
        rollout = Rollout(
            release=props.place.image_tag,
            # By its id: what is asked for by name is allowed on `stack/<name>/*` alone.
            stack=stack.stack_id,
            group=GROUP_ID,
            targets=props.targets.target_group_arn,
            alarms=[each.alarm_name for each in props.release_alarms],
            boot_s=boot_s,
            bake_s=bake_s,
        )
        return instance_template(
            self,
            "Template",
            instance_type=instance_type,
            disk_gb=disk_gb,
            role=self.role,
            security_group=props.security_group,
            user_data=api_user_data(boot, rollout),
        )
