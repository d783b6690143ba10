"""What every instance of ours has in common: image, disk, metadata rules, role."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.constructs.user_data import Boot

#: Resolved at deploy time, so that a synth asks nobody and a new AMI is a new template version.
AMI_PARAMETER = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"


def instance_role(scope: Construct, identifier: str, *, description: str) -> iam.Role:
    """Return a role for instances that Session Manager can reach; port 22 stays closed."""
    return iam.Role(
        scope,
        identifier,
        description=description,
        assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
        managed_policies=[
            iam.ManagedPolicy.from_aws_managed_policy_name("AmazonSSMManagedInstanceCore")
        ],
    )


def instance_template(
    scope: Construct,
    identifier: str,
    *,
    instance_type: str,
    disk_gb: int,
    role: iam.IRole,
    security_group: ec2.ISecurityGroup,
    user_data: str,
) -> ec2.LaunchTemplate:
    """Return a launch template of AL2023 on ARM with an encrypted gp3 disk of `disk_gb` GiB.

    IMDSv2 is required; its hop limit is 2, because containers are one hop further away.
    """
    return ec2.LaunchTemplate(
        scope,
        identifier,
        instance_type=ec2.InstanceType(instance_type),
        machine_image=ec2.MachineImage.from_ssm_parameter(
            AMI_PARAMETER, os=ec2.OperatingSystemType.LINUX
        ),
        role=role,
        security_group=security_group,
        user_data=ec2.UserData.custom(user_data),
        http_tokens=ec2.LaunchTemplateHttpTokens.REQUIRED,
        http_put_response_hop_limit=2,
        block_devices=[
            ec2.BlockDevice(
                device_name="/dev/xvda",
                volume=ec2.BlockDeviceVolume.ebs(
                    disk_gb,
                    encrypted=True,
                    volume_type=ec2.EbsDeviceVolumeType.GP3,
                    delete_on_termination=True,
                ),
            )
        ],
    )


def group_arn(scope: Construct, group_name: str) -> str:
    """Return the ARN pattern of an Auto Scaling group known by name (its id is any)."""
    return cdk.Stack.of(scope).format_arn(
        service="autoscaling",
        resource="autoScalingGroup:*:autoScalingGroupName",
        resource_name=group_name,
    )


def grant_own_group(role: iam.IGrantable, scope: Construct, group_name: str, *actions: str) -> None:
    """Grant Auto Scaling actions on one group alone.

    A raw statement: a grant through the group would make role and group wait for each other.
    """
    iam.Grant.add_to_principal(
        grantee=role,
        actions=[f"autoscaling:{action}" for action in actions],
        resource_arns=[group_arn(scope, group_name)],
    )


def boot_facts(
    stack: cdk.Stack,
    *,
    repository: str,
    tag: str,
    path: str,
    log_group: logs.ILogGroup,
    stop_timeout_s: int,
) -> Boot:
    """Return what a boot script needs to know of its image, parameters and log group."""
    registry = f"{stack.account}.dkr.ecr.{stack.region}.amazonaws.com"
    return Boot(
        region=stack.region,
        registry=registry,
        image=f"{registry}/{repository}:{tag}",
        path=path,
        log_group=log_group.log_group_name,
        stop_timeout_s=stop_timeout_s,
    )
