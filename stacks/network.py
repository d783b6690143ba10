"""Address space and firewall."""

from __future__ import annotations

from constructs import Construct

from config.settings import Settings
from stacks.constructs.platform_stack import Place, PlatformStack
from stacks.constructs.private_network import PrivateNetwork


class NetworkStack(PlatformStack):
    """VPC over the configured zones, and every security group with its rules."""

    def __init__(self, scope: Construct, *, place: Place, settings: Settings) -> None:
        super().__init__(scope, "network", place)
        if place.account:
            # With a known account CDK would ask AWS for its zones, although they are given.
            zones = f"availability-zones:account={place.account}:region={place.region}"
            self.node.set_context(zones, settings.network.availability_zones)
        external = (settings.database.external, settings.redis.external)
        self.network = PrivateNetwork(
            self,
            "Network",
            cidr=settings.network.cidr,
            availability_zones=settings.network.availability_zones,
            nat=settings.network.nat,
            https=settings.api.domain_name is not None,
            nat_ports=[address.port for address in external if address],
        )
