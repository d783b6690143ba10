"""The address space: subnets, the way out, and who may talk to whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from config.contracts.names import API_PORT

HTTPS, HTTP, POSTGRES, REDIS = 443, 80, 5432, 6379

Nat = Literal["none", "instance", "gateway"]


class PrivateNetwork(Construct):
    """A VPC over the given zones, with a gateway endpoint to S3.

    Subnets: public (load balancer; the instances too with nat `none`), private (with a NAT), and
    isolated (database and Redis, no route out). `https` opens the load balancer's 443 besides 80;
    `nat_ports` are let through a NAT instance besides those two. Nothing is looked up at synth.
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        cidr: str,
        availability_zones: Sequence[str],
        nat: Nat,
        https: bool,
        nat_ports: Sequence[int] = (),
    ) -> None:
        super().__init__(scope, identifier)
        provider = _provider(nat)
        inside = ec2.SubnetType.PUBLIC if provider is None else ec2.SubnetType.PRIVATE_WITH_EGRESS
        kinds = {"Public": ec2.SubnetType.PUBLIC, "Isolated": ec2.SubnetType.PRIVATE_ISOLATED}
        if provider is not None:
            kinds["Private"] = ec2.SubnetType.PRIVATE_WITH_EGRESS
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(cidr),
            availability_zones=list(availability_zones),
            nat_gateway_provider=provider,
            nat_gateways=None if provider else 0,
            restrict_default_security_group=False,  # CDK would add a Node.js function for it
            subnet_configuration=[
                ec2.SubnetConfiguration(name=name, subnet_type=kind, cidr_mask=24)
                for name, kind in kinds.items()
            ],
            gateway_endpoints={
                "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)
            },
        )
        self.firewall = Firewall(self, "Firewall", vpc=self.vpc, https=https)
        self.compute_subnets = ec2.SubnetSelection(subnet_type=inside)
        self.public_compute = provider is None
        if isinstance(provider, ec2.NatInstanceProviderV2):
            for port in (HTTP, HTTPS, *nat_ports):
                provider.connections.allow_from(
                    ec2.Peer.ipv4(cidr), ec2.Port.tcp(port), "From inside, to the outside"
                )


def _provider(nat: Nat) -> ec2.NatProvider | None:
    if nat == "none":
        return None
    if nat == "gateway":
        return ec2.NatProvider.gateway()
    return ec2.NatProvider.instance_v2(
        # Not nano: dnf, which sets the NAT up, is killed for want of memory there.
        # https://github.com/amazonlinux/amazon-linux-2023/issues/404
        instance_type=ec2.InstanceType("t4g.micro"),
        # The default would open every port of the NAT instance to the world.
        default_allowed_traffic=ec2.NatTrafficDirection.OUTBOUND_ONLY,
    )


class Firewall(Construct):
    """One security group a role, every rule by reference, and no port for SSH anywhere.

    Internet -> load balancer (443 and 80) -> API (8000) -> database, Redis <- workers. Instances
    are reached through Session Manager. All rules stand here, so that no other stack edits them.
    """

    def __init__(self, scope: Construct, identifier: str, *, vpc: ec2.IVpc, https: bool) -> None:
        super().__init__(scope, identifier)
        self._vpc = vpc
        self.load_balancer = self._group("LoadBalancer", "Public entry", outbound=False)
        self.api = self._group("Api", "API containers", outbound=True)
        self.workers = self._group("Workers", "Worker instances", outbound=True)
        self.database = self._group("Database", "PostgreSQL", outbound=False)
        self.cache = self._group("Cache", "Redis", outbound=False)
        for port in (HTTP, HTTPS) if https else (HTTP,):
            self.load_balancer.add_ingress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "Browsers")
        self.api.add_ingress_rule(self.load_balancer, ec2.Port.tcp(API_PORT), "Load balancer")
        self.load_balancer.add_egress_rule(self.api, ec2.Port.tcp(API_PORT), "API")
        for group, port in ((self.database, POSTGRES), (self.cache, REDIS)):
            group.add_ingress_rule(self.api, ec2.Port.tcp(port), "API")
            group.add_ingress_rule(self.workers, ec2.Port.tcp(port), "Workers")

    def _group(self, identifier: str, description: str, *, outbound: bool) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(
            self, identifier, vpc=self._vpc, description=description, allow_all_outbound=outbound
        )


def frozen_group(
    scope: Construct, identifier: str, group: ec2.ISecurityGroup
) -> ec2.ISecurityGroup:
    """Return a security group that constructs cannot add rules to: its rules are the firewall's."""
    return ec2.SecurityGroup.from_security_group_id(
        scope, identifier, group.security_group_id, mutable=False
    )
