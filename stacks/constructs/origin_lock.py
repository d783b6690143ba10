"""The load balancer answers the edge alone: who may connect, and the header that must be there."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from config.contracts.edges import (
    CLOUDFLARE_IPV4,
    CLOUDFRONT_PREFIX_LISTS,
    ORIGIN_HEADER,
    origin_secret_name,
)
from stacks.constructs.parameters import generated_secret
from stacks.constructs.platform_stack import Place


def origin_secret(scope: Construct, *, place: Place, used_in: str) -> secretsmanager.Secret:
    """Return the value of X-Origin-Verify, and keep a copy of it in the region `used_in`.

    Other customers of the same edge come from the same addresses: the header tells them apart.
    """
    return generated_secret(
        scope,
        "OriginSecret",
        description=f"The edge shows it to the load balancer in {ORIGIN_HEADER}",
        place=place,
        name=origin_secret_name(place.environment),
        copied_to=[used_in] if used_in != place.region else [],
    )


def shows_origin_secret(environment: str) -> elbv2.ListenerCondition:
    """Return the condition that a request carries the secret; the template holds a reference."""
    value = cdk.SecretValue.secrets_manager(origin_secret_name(environment))
    return elbv2.ListenerCondition.http_header(ORIGIN_HEADER, [value.unsafe_unwrap()])


def edge_addresses(provider: str, region: str) -> list[ec2.IPeer]:
    """Return whom the load balancer is open to: the edge's addresses, or none in particular."""
    if provider == "cloudflare":
        return [ec2.Peer.ipv4(network) for network in CLOUDFLARE_IPV4]
    if provider == "cloudfront":
        return [ec2.Peer.prefix_list(CLOUDFRONT_PREFIX_LISTS[region])]
    return []
