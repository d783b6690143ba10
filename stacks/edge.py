"""What stands in front: the distribution, its firewall, and the secret that opens the origin."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import aws_cdk as cdk
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_s3 as s3
from constructs import Construct

from config.contracts.edges import EDGE_REGION, KEY_PAIR_OUTPUT
from config.model_edge import Edge, Playback
from config.settings import Settings
from stacks.constructs.buckets import BROWSER_BUCKETS
from stacks.constructs.distribution import EdgeDistribution
from stacks.constructs.origin_lock import origin_secret
from stacks.constructs.platform_stack import Place, PlatformStack
from stacks.constructs.static_site import StaticSite
from stacks.constructs.web_acl import WebAcl


class EdgeStack(PlatformStack):
    """Stands in us-east-1, whence CloudFront takes certificates and web ACLs, before all others.

    It refers to no other stack: origins are known names. What others need of it is the origin
    secret, which Secrets Manager copies into their region under its name, and an output.
    With Cloudflare in front of the API, the distribution serves the front end alone.
    """

    def __init__(self, scope: Construct, *, place: Place, settings: Settings) -> None:
        # The topic of the alarms is in the other region.
        there = replace(place, region=EDGE_REGION, alarms=None)
        super().__init__(scope, "edge", there, stateful=True)
        edge, domain_name = settings.edge, settings.edge.domain_name
        assert domain_name is not None  # noqa: S101 - config.checks
        at_cloudfront = edge.provider == "cloudfront"
        secret = origin_secret(self, place=there, used_in=settings.aws.region)
        site = StaticSite(self, "Site", place=there, hosts=hosts(settings))
        front = EdgeDistribution(
            self,
            "Front",
            domain_name=domain_name,
            site=site,
            web_acl_arn=self._web_acl(edge).arn if at_cloudfront else None,
        )
        if at_cloudfront:
            front.route_api(str(settings.api.domain_name), secret)
        if edge.playback:
            front.route_hls(self._video_bucket(settings), self._keys(edge.playback))
        cdk.CfnOutput(self, "SiteBucket", value=site.bucket.bucket_name)
        cdk.CfnOutput(self, "Address", value=front.distribution.distribution_domain_name)

    def _web_acl(self, edge: Edge) -> WebAcl:
        return WebAcl(
            self,
            "WebAcl",
            place=self.place,
            protects="CLOUDFRONT",
            requests_per_minute=edge.requests_per_minute,
        )

    def _keys(self, playback: Playback) -> cloudfront.KeyGroup:
        # CloudFront lets nobody change a key: another key is another resource.
        digest = hashlib.sha256(playback.public_key_pem.encode()).hexdigest()[:8]
        key = cloudfront.PublicKey(
            self, f"PlaybackKey{digest}", encoded_key=playback.public_key_pem
        )
        cdk.CfnOutput(self, KEY_PAIR_OUTPUT, value=key.public_key_id)
        return cloudfront.KeyGroup(self, "PlaybackKeys", items=[key])

    def _video_bucket(self, settings: Settings) -> s3.IBucket:
        return s3.Bucket.from_bucket_attributes(
            self,
            "Video",
            bucket_name=settings.storage.buckets.video,
            region=settings.aws.region,
        )


def edge_stack(scope: Construct, *, place: Place, settings: Settings) -> EdgeStack | None:
    """Return the edge's stack, None where the load balancer stands alone."""
    if settings.edge.provider == "none":
        return None
    return EdgeStack(scope, place=place, settings=settings)


def hosts(settings: Settings) -> list[str]:
    """Return the origins that the front end talks to besides its own: the API, and the stores."""
    api = [settings.api_host] if settings.api_host != settings.edge.domain_name else []
    return [f"https://{host}" for host in api] + _stores(settings)


def _stores(settings: Settings) -> list[str]:
    """Return where presigned addresses lead, as worker_images/base/storage.py makes them."""
    if settings.storage.r2 and settings.storage.provider == "r2":
        return [settings.storage.r2.endpoint]
    names = settings.storage.buckets.model_dump()
    region = settings.aws.region
    return [f"https://{names[role]}.s3.{region}.amazonaws.com" for role in BROWSER_BUCKETS]
