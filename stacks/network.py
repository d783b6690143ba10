"""Address space and firewall."""

from __future__ import annotations

from constructs import Construct

from config.settings import Settings
from stacks.constructs.origin_lock import edge_addresses
from stacks.constructs.platform_stack import Place, PlatformStack
from stacks.constructs.private_network import PrivateNetwork

#: AWS APIs that workers and tasks call, by their endpoint's short name; S3 has its gateway
#: endpoint. A test derives the same lists from the granted actions.
#: https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
ENDPOINTS = (
    "autoscaling",
    "ecr.api",
    "ecr.dkr",
    "logs",
    "secretsmanager",
    "sqs",
    "ssm",
    "ssmmessages",
)
#: An API instance also watches its own release.
API_INSTANCE_ENDPOINTS = ("cloudformation", "elasticloadbalancing", "monitoring")


class NetworkStack(PlatformStack):
    """VPC over the configured zones, its flow log, and every security group with its rules."""

    def __init__(self, scope: Construct, *, place: Place, settings: Settings) -> None:
        super().__init__(scope, "network", place)
        network = settings.network
        if place.account:
            # With a known account CDK would ask AWS for its zones, although they are given.
            zones = f"availability-zones:account={place.account}:region={place.region}"
            self.node.set_context(zones, network.availability_zones)
        external = (settings.database.external, settings.redis.external)
        self.network = PrivateNetwork(
            self,
            "Network",
            place=place,
            cidr=network.cidr,
            availability_zones=network.availability_zones,
            nat=network.nat,
            nat_zones=network.nat_zones,
            https=settings.api.domain_name is not None,
            edge=edge_addresses(settings.edge.provider, settings.aws.region),
            store_ports=sorted({address.port for address in external if address}),
            endpoints=_endpoints(settings) if network.interface_endpoints else (),
        )


def _endpoints(settings: Settings) -> tuple[str, ...]:
    return (*ENDPOINTS, *(API_INSTANCE_ENDPOINTS if settings.api.compute == "ec2" else ()))
