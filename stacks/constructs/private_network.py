"""The address space: subnets, the way out, and what AWS answers inside."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.constructs.firewall import HTTP, HTTPS, Firewall
from stacks.constructs.flow_log import flow_log
from stacks.constructs.nat import Nat, harden_nat, nat_provider
from stacks.constructs.platform_stack import Place

#: Addresses are set aside for the third zone, so that adding it moves no subnet.
MAX_ZONES = 3


class PrivateNetwork(Construct):
    """A VPC over the given zones, with a gateway endpoint to S3 and a flow log.

    Subnets: public (load balancer, NATs), isolated (database and Redis, no route out), and private
    for the instances: behind `nat_zones` NATs, or with nat `none` and `endpoints` (AWS services by
    their endpoint's short name, `sqs`) without any way out. With neither, instances stand in the
    public subnets, which only then give addresses. `https` opens the load balancer's 443 besides
    80, else instances may leave by 80; where `edge` names addresses, they alone reach the load
    balancer. `store_ports` are those of stores outside. Nothing is looked up at synth.
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        place: Place,
        cidr: str,
        availability_zones: Sequence[str],
        nat: Nat,
        nat_zones: int,
        https: bool,
        edge: Sequence[ec2.IPeer] = (),
        store_ports: Sequence[int] = (),
        endpoints: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, identifier)
        provider = nat_provider(nat)
        self.public_compute = provider is None and not endpoints
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(cidr),
            availability_zones=list(availability_zones),
            reserved_azs=MAX_ZONES - len(availability_zones),
            nat_gateway_provider=provider,
            nat_gateways=nat_zones if provider else 0,
            restrict_default_security_group=False,  # CDK would add a Node.js function for it
            subnet_configuration=self._subnets(has_nat=provider is not None),
            gateway_endpoints={
                "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)
            },
        )
        # Without a certificate the load balancer answers the workers on 80.
        outside = [HTTPS, *(() if https else (HTTP,)), *store_ports]
        self.firewall = Firewall(
            self, "Firewall", vpc=self.vpc, https=https, edge=edge, outside=outside
        )
        self.compute_subnets = ec2.SubnetSelection(
            subnet_group_name="Public" if self.public_compute else "Private"
        )
        users = (self.firewall.api, self.firewall.workers)
        harden_nat(provider, self.vpc, users=users, ports=outside)
        if endpoints:
            self._add_endpoints(endpoints)
        flow_log(self, "Flow", vpc=self.vpc, place=place)

    def _subnets(self, *, has_nat: bool) -> list[ec2.SubnetConfiguration]:
        """Private comes last: adding or removing it moves no other subnet."""
        found = [
            ec2.SubnetConfiguration(
                name="Public",
                subnet_type=ec2.SubnetType.PUBLIC,
                map_public_ip_on_launch=self.public_compute,
                cidr_mask=24,
            ),
            ec2.SubnetConfiguration(
                name="Isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24
            ),
        ]
        if not self.public_compute:
            egress = ec2.SubnetType.PRIVATE_WITH_EGRESS
            kind = egress if has_nat else ec2.SubnetType.PRIVATE_ISOLATED
            found.append(ec2.SubnetConfiguration(name="Private", subnet_type=kind, cidr_mask=24))
        return found

    def _add_endpoints(self, services: Sequence[str]) -> None:
        """Each answers this account's own principals alone: no key from elsewhere leads out."""
        group = self.firewall.endpoints()
        for service in services:
            endpoint = self.vpc.add_interface_endpoint(
                service.title().replace(".", ""),
                service=ec2.InterfaceVpcEndpointAwsService(service),
                subnets=self.compute_subnets,
                security_groups=[group],
                open=False,
            )
            endpoint.add_to_policy(
                iam.PolicyStatement(
                    principals=[iam.AnyPrincipal()],
                    actions=["*"],
                    resources=["*"],
                    conditions={"StringEquals": {"aws:PrincipalAccount": endpoint.stack.account}},
                )
            )
