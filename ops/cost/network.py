"""Load balancer, NAT gateways, endpoints, firewall for web requests."""

from __future__ import annotations

from collections.abc import Iterator

from ops.cost.estate import Month, Resource
from ops.cost.model import Need

#: An LCU-hour holds 1 GB, or 25 new connections a second; each call is taken for a new connection.
#: https://aws.amazon.com/elasticloadbalancing/pricing/
_CONNECTIONS_PER_LCU_HOUR = 25 * 3600


def load_balancer(resource: Resource, month: Month) -> Iterator[Need]:
    """An Application Load Balancer: hours, capacity units, and a public address in each zone."""
    part = "load balancer"
    yield Need(part, "alb.hour", month.hours, resource.name)
    calls = month.usage.requests_million(month.days) * 1e6
    units = max(month.usage.api_gb(month.days), calls / _CONNECTIONS_PER_LCU_HOUR)
    yield Need(part, "alb.lcu", units, resource.name)
    if resource.properties.get("Scheme") == "internet-facing":
        zones = len(resource.properties["Subnets"])
        yield Need(part, "ipv4", zones * month.hours, resource.name)


def nat_gateway(resource: Resource, month: Month) -> Iterator[Need]:
    """A NAT gateway: hours, its address, and its part of what the lectures send out."""
    gateways = len(month.estate.of_type("AWS::EC2::NatGateway"))
    sent_gb = month.usage.lecture_gb(month.days, month.usage.lectures.stored_mbps)
    yield Need("NAT", "nat.hour", month.hours, resource.name)
    yield Need("NAT", "ipv4", month.hours, resource.name)
    yield Need("NAT", "nat.gb", sent_gb / gateways if month.estate.on_r2 else 0, resource.name)


def endpoint(resource: Resource, month: Month) -> Iterator[Need]:
    """An endpoint: an interface costs by the hour in each subnet, a gateway nothing."""
    if resource.properties.get("VpcEndpointType") == "Interface":
        zones = len(resource.properties["SubnetIds"])
        yield Need("interface endpoints", "endpoint.hour", zones * month.hours, resource.name)


def web_acl(resource: Resource, month: Month) -> Iterator[Need]:
    """A web ACL, its rules, and every call that it looks at."""
    yield Need("WAF", "waf.acl", 1, resource.name)
    yield Need("WAF", "waf.rule", len(resource.properties["Rules"]), resource.name)
    calls = month.usage.requests_million(month.days)
    yield Need("WAF", "waf.requests", calls, resource.name)
