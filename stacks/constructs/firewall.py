"""Who may talk to whom: every security group of the platform, and every rule of them."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from config.contracts.names import API_PORT
from stacks.constructs.acknowledge import acknowledge

HTTPS, HTTP, POSTGRES, REDIS = 443, 80, 5432, 6379


class Firewall(Construct):
    """One security group a role, rules by reference, and no port for SSH anywhere.

    Internet -> load balancer (443 and 80) -> API (8000) -> database, Redis <- workers. With an
    edge, `edge` alone reaches the load balancer, on 443. API and
    workers reach the world on `outside` alone: 443 for AWS, R2 and Amazon Linux's packages, and
    the ports of stores that stand elsewhere. (The VPC's DNS, time and metadata addresses pass
    every security group.) Instances are reached through Session Manager. All rules stand here, so
    that no other stack edits them.
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        vpc: ec2.IVpc,
        https: bool,
        edge: Sequence[ec2.IPeer],
        outside: Sequence[int],
    ) -> None:
        super().__init__(scope, identifier)
        self._vpc = vpc
        self.load_balancer = self._group("LoadBalancer", "Public entry")
        self.api = self._group("Api", "API containers")
        self.workers = self._group("Workers", "Worker instances")
        self.database = self._group("Database", "PostgreSQL")
        self.cache = self._group("Cache", "Redis")
        for peer in edge:
            self.load_balancer.add_ingress_rule(peer, ec2.Port.tcp(HTTPS), "Edge")
        for port in () if edge else (HTTP, HTTPS) if https else (HTTP,):
            self.load_balancer.add_ingress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "Browsers")
        if not edge:
            acknowledge(
                self.load_balancer,
                "EC23",
                "Without an edge it is the public entry: everybody may ask on 80 and 443",
            )
        self._connect(self.load_balancer, self.api, API_PORT, "Load balancer", "API")
        for name, user in (("API", self.api), ("Workers", self.workers)):
            self._connect(user, self.database, POSTGRES, name, "PostgreSQL")
            self._connect(user, self.cache, REDIS, name, "Redis")
            for port in outside:
                user.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "Outside")

    def endpoints(self) -> ec2.SecurityGroup:
        """Return the group of interface endpoints: 443 from the API and the workers."""
        group = self._group("Endpoints", "AWS APIs inside the VPC")
        for name, user in (("API", self.api), ("Workers", self.workers)):
            group.add_ingress_rule(user, ec2.Port.tcp(HTTPS), name)
        return group

    def _connect(
        self,
        source: ec2.SecurityGroup,
        target: ec2.SecurityGroup,
        port: int,
        source_name: str,
        target_name: str,
    ) -> None:
        target.add_ingress_rule(source, ec2.Port.tcp(port), source_name)
        source.add_egress_rule(target, ec2.Port.tcp(port), target_name)

    def _group(self, identifier: str, description: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(
            self, identifier, vpc=self._vpc, description=description, allow_all_outbound=False
        )


def frozen_group(
    scope: Construct, identifier: str, group: ec2.ISecurityGroup
) -> ec2.ISecurityGroup:
    """Return a security group that constructs cannot add rules to: its rules are the firewall's."""
    return ec2.SecurityGroup.from_security_group_id(
        scope, identifier, group.security_group_id, mutable=False
    )
