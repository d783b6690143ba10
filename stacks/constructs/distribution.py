"""The CloudFront distribution: the front end, and what is routed elsewhere."""

from __future__ import annotations

from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from config.contracts.api_paths import PUBLIC_PATTERNS, STATIC_PATTERN
from config.contracts.edges import ORIGIN_HEADER
from config.contracts.storage_keys import HLS_PATTERN
from stacks.constructs.acknowledge import acknowledge
from stacks.constructs.static_site import ASSETS_PATTERN, StaticSite

_HTTPS = cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS
_ONLY_HTTPS = cloudfront.ViewerProtocolPolicy.HTTPS_ONLY


class EdgeDistribution(Construct):
    """One name for viewers, with its certificate (a DNS record of its owner validates it).

    Serves the site; `route_api` and `route_hls` add the API and the bucket. TLS 1.2 and newer.
    No access log: the paths of watch pages are permissions, and the web ACL logs what it blocks.
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        domain_name: str,
        site: StaticSite,
        web_acl_arn: str | None,
    ) -> None:
        super().__init__(scope, identifier)
        certificate = acm.Certificate(
            self,
            "Certificate",
            domain_name=domain_name,
            validation=acm.CertificateValidation.from_dns(),
        )
        self.distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=domain_name,
            domain_names=[domain_name],
            certificate=certificate,
            default_behavior=site.pages,
            additional_behaviors={ASSETS_PATTERN: site.assets},
            default_root_object="index.html",
            web_acl_id=web_acl_arn,
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            # 100 leaves Korea out.
            price_class=cloudfront.PriceClass.PRICE_CLASS_200,
        )

        acknowledge(self.distribution, "CFR1", "Teachers and pupils travel: no country is shut out")
        acknowledge(
            self.distribution,
            "CFR3",
            "A log line would hold a watch page's path, which is a permission for a week",
        )
        if web_acl_arn is None:
            acknowledge(
                self.distribution, "CFR2", "It serves files alone; the web ACL guards the API"
            )

    def route_api(self, domain_name: str, secret: secretsmanager.ISecret) -> None:
        """Send the API's paths to its load balancer, unchanged and uncached.

        The Host header stays the viewer's, since the API's links hold it. The secret's value is a
        reference that CloudFormation resolves: the template holds none.
        """
        origin = origins.HttpOrigin(
            domain_name,
            protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
            origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
            custom_headers={ORIGIN_HEADER: secret.secret_value.unsafe_unwrap()},
        )
        for pattern in PUBLIC_PATTERNS:
            self.distribution.add_behavior(
                pattern,
                origin,
                viewer_protocol_policy=_HTTPS,
                allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
                cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
                origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER,
            )
        self.distribution.add_behavior(
            STATIC_PATTERN,
            origin,
            viewer_protocol_policy=_HTTPS,
            cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,
            origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER,
        )

    def route_hls(self, bucket: s3.IBucket, keys: cloudfront.IKeyGroup) -> None:
        """Serve HLS from its bucket, to cookies signed with a key of `keys` alone.

        The bucket's own policy admits CloudFront: see `S3Storage.grant_distributions_read`.
        """
        self.distribution.add_behavior(
            f"/{HLS_PATTERN}",
            origins.S3BucketOrigin.with_origin_access_control(bucket),
            viewer_protocol_policy=_ONLY_HTTPS,
            cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,
            response_headers_policy=cloudfront.ResponseHeadersPolicy.SECURITY_HEADERS,
            trusted_key_groups=[keys],
        )
