"""Real loopback addresses, shown by moto's describe calls in place of its invented ones."""

from __future__ import annotations

from typing import Any, Protocol

from moto.elbv2.models import elbv2_backends
from moto.rds.models import rds_backends


class Place(Protocol):
    """The account and region whose records are meant."""

    @property
    def account(self) -> str:
        """The account's number."""

    @property
    def region(self) -> str:
        """The region's name."""


def show_load_balancer(place: Place, arn: str, address: str) -> None:
    """Make DescribeLoadBalancers answer `address` (`localhost:port`) as the DNSName."""
    elbv2_backends[place.account][place.region].load_balancers[arn].dns_name = address


def show_database(place: Place, identifier: str, host: str, port: int) -> None:
    """Make DescribeDBInstances answer the endpoint on which the database really listens."""
    database: Any = rds_backends[place.account][place.region].databases[identifier]
    database.port = port
    database.local_host = host
