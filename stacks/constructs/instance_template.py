"""What every instance of ours has in common: image, disk, metadata rules, role."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.constructs.acknowledge import NO_RESOURCE, accept_patterns, grant_pattern
from stacks.constructs.boot import Boot

#: Resolved at deploy time, so that a synth asks nobody and a new AMI is a new template version.
AMI_PARAMETER = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"


#: What Session Manager's agent calls; AWS's own managed policy would also open every parameter.
#: https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html
SESSION_ACTIONS = (
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)
#: What `docker pull` calls; CDK's grant adds BatchCheckLayerAvailability, which a push asks.
#: https://docs.aws.amazon.com/AmazonECR/latest/userguide/security-iam-awsmanpol.html (PullOnly)
PULL_ACTIONS = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
#: Why a group's ARN is a pattern.
KNOWN_BY_NAME = "One group, known by its name: its ARN holds an id that only AWS knows"
#: Why nobody is told of an instance that comes or goes.
NO_NOTIFICATIONS = (
    "Instances come and go with each lecture and each deploy: a mail for each would hide the "
    "alarms, which tell of a group that does not get what it asks for"
)
#: Where a scratch disk is found; Amazon Linux links the name to the NVMe device behind it.
SCRATCH_DEVICE = "/dev/xvdb"


def instance_role(scope: Construct, identifier: str, *, description: str) -> iam.Role:
    """Return a role for instances that Session Manager can reach; port 22 stays closed.

    A raw statement: channels know no resource, and an instance's id is not known here.
    """
    role = iam.Role(
        scope,
        identifier,
        description=description,
        assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
    )
    grant_pattern(role, actions=SESSION_ACTIONS, arns=["*"], reason=NO_RESOURCE)
    return role


def grant_pull(role: iam.IGrantable, repository: ecr.IRepository) -> None:
    """Grant an instance's Docker the images of one repository."""
    ecr.AuthorizationToken.grant_read(role)
    accept_patterns(role, arns=["*"], reason=NO_RESOURCE)
    repository.grant(role, *PULL_ACTIONS)


def instance_template(
    scope: Construct,
    identifier: str,
    *,
    instance_type: str,
    disk_gb: int,
    role: iam.IRole,
    security_group: ec2.ISecurityGroup,
    user_data: str,
    scratch_gb: int | None = None,
) -> ec2.LaunchTemplate:
    """Return a launch template of AL2023 on ARM with an encrypted gp3 disk of `disk_gb` GiB.

    `scratch_gb` adds a second, empty one at SCRATCH_DEVICE. Both end with their instance. IMDSv2 is
    required; its hop limit is 2, because containers are one hop further away.
    """
    disks = [_disk("/dev/xvda", disk_gb)]
    if scratch_gb is not None:
        disks.append(_disk(SCRATCH_DEVICE, scratch_gb))
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
        block_devices=disks,
    )


def _disk(device: str, size_gb: int) -> ec2.BlockDevice:
    volume = ec2.BlockDeviceVolume.ebs(
        size_gb,
        encrypted=True,
        volume_type=ec2.EbsDeviceVolumeType.GP3,
        delete_on_termination=True,
    )
    return ec2.BlockDevice(device_name=device, volume=volume)


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
    grant_pattern(
        role,
        actions=[f"autoscaling:{action}" for action in actions],
        arns=[group_arn(scope, group_name)],
        reason=KNOWN_BY_NAME,
    )


def boot_facts(
    stack: cdk.Stack,
    *,
    repository: str,
    tag: str,
    paths: Sequence[str],
    log_group: logs.ILogGroup,
    stop_timeout_s: int,
) -> Boot:
    """Return what a boot script needs to know of its image, parameters and log group."""
    registry = f"{stack.account}.dkr.ecr.{stack.region}.amazonaws.com"
    return Boot(
        region=stack.region,
        registry=registry,
        image=f"{registry}/{repository}:{tag}",
        paths=paths,
        log_group=log_group.log_group_name,
        stop_timeout_s=stop_timeout_s,
    )
