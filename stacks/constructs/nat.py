"""The way out of private subnets: NAT instances or NAT gateways."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from stacks.constructs.acknowledge import acknowledge

Nat = Literal["none", "instance", "gateway"]

#: 64 Mbit/s for good and 5 Gbit/s in bursts: see docs/adr/0004. Not nano: dnf, which sets the NAT
#: up, is killed there for want of memory. https://github.com/amazonlinux/amazon-linux-2023/issues/404
INSTANCE_TYPE = "t4g.micro"
#: Boot, one package and the signal; a NAT that is not forwarding by then fails the deploy.
READY_S = 600


def nat_provider(nat: Nat) -> ec2.NatProvider | None:
    """Return what makes the NATs of a VPC, None for a VPC without."""
    if nat == "none":
        return None
    if nat == "gateway":
        return ec2.NatProvider.gateway()
    return ec2.NatInstanceProviderV2(
        instance_type=ec2.InstanceType(INSTANCE_TYPE),
        associate_public_ip_address=True,  # the subnets give nobody one
        default_allowed_traffic=ec2.NatTrafficDirection.NONE,
    )


def harden_nat(
    provider: ec2.NatProvider | None,
    vpc: ec2.Vpc,
    *,
    users: Sequence[ec2.ISecurityGroup],
    ports: Sequence[int],
) -> None:
    """Narrow NAT instances to `users` and `ports`, and let none be replaced by one that is not up.

    A newer Amazon Linux image replaces NAT instances on a deploy: one after the other, each old
    one kept until its successor has signalled that it forwards. Nothing is done to gateways.
    """
    if not isinstance(provider, ec2.NatInstanceProviderV2):
        return
    for port in ports:
        for user in users:
            provider.security_group.add_ingress_rule(user, ec2.Port.tcp(port), "To the outside")
        provider.security_group.add_egress_rule(
            ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "What is let through"
        )
    for instance in provider.gateway_instances:
        _wait_until_it_forwards(instance)
        acknowledge(instance, "EC28", "Five-minute metrics do: no alarm and no scaling reads them")
        acknowledge(instance, "EC29", "It holds nothing, and a newer image must replace it")
        for subnet in vpc.public_subnets:  # the signal takes that way
            instance.node.add_dependency(subnet.internet_connectivity_established)
    for before, after in pairwise(provider.gateway_instances):
        after.node.add_dependency(before)


def _wait_until_it_forwards(instance: ec2.Instance) -> None:
    resource = instance.node.default_child
    assert isinstance(resource, ec2.CfnInstance)  # noqa: S101 - always one
    boot = ec2.UserData.for_linux()
    boot.add_commands("set -e", *ec2.NatInstanceProviderV2.DEFAULT_USER_DATA_COMMANDS)
    boot.add_signal_on_exit_command(instance)
    resource.user_data = cdk.Fn.base64(boot.render())
    resource.cfn_options.creation_policy = cdk.CfnCreationPolicy(
        resource_signal=cdk.CfnResourceSignal(count=1, timeout=f"PT{READY_S}S")
    )
    resource.metadata_options = ec2.CfnInstance.MetadataOptionsProperty(
        http_tokens="required", http_put_response_hop_limit=1
    )
    resource.block_device_mappings = [
        ec2.CfnInstance.BlockDeviceMappingProperty(
            device_name="/dev/xvda",
            ebs=ec2.CfnInstance.EbsProperty(encrypted=True, volume_type="gp3"),
        )
    ]
