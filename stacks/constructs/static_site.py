"""The front end: a single-page application in a private bucket, as a distribution serves it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.constructs.acknowledge import acknowledge
from stacks.constructs.platform_stack import Place
from stacks.constructs.stateful import declare_stateful

REWRITE = Path(__file__).parent / "spa_rewrite.js"
#: Files below it hold a hash of their content in their names, as bundlers write them.
ASSETS_PATTERN = "/assets/*"
_IMMUTABLE = "public, max-age=31536000, immutable"
#: How long an edge may go on with an old page after a release.
PAGE_MAX_AGE_S = 60
_HSTS_S = 365 * 24 * 3600


class StaticSite(Construct):
    """Bucket, and how its pages and its assets are served.

    `pages`: an address of the application's own router is answered with index.html by a function
    at the edge (not by an error page, which would hide the API's 404), and no browser keeps it.
    `assets`: kept for a year. A missing file is a 404. The bucket takes no policy but that of the
    distribution, TLS only. `hosts` are the origins besides its own that the application may talk
    to (API, stores); scripts come from its own origin alone.
    """

    def __init__(
        self, scope: Construct, identifier: str, *, place: Place, hosts: Sequence[str]
    ) -> None:
        super().__init__(scope, identifier)
        self.bucket = s3.Bucket(
            self,
            "Files",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        )
        declare_stateful(self.bucket, place=place, holds="the front end's files")
        acknowledge(self.bucket, "S1", "It holds what everybody may read, through CloudFront")
        # Listing makes a missing object a 404; without it S3 answers 403.
        self.origin = origins.S3BucketOrigin.with_origin_access_control(
            self.bucket,
            origin_access_levels=[cloudfront.AccessLevel.READ, cloudfront.AccessLevel.LIST],
        )
        https = cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS
        self.pages = cloudfront.BehaviorOptions(
            origin=self.origin,
            viewer_protocol_policy=https,
            compress=True,
            cache_policy=self._page_cache(),
            response_headers_policy=self._headers("PageHeaders", "no-cache", hosts),
            function_associations=[self._rewrite()],
        )
        self.assets = cloudfront.BehaviorOptions(
            origin=self.origin,
            viewer_protocol_policy=https,
            compress=True,
            cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,
            response_headers_policy=self._headers("AssetHeaders", _IMMUTABLE, hosts),
        )

    def _rewrite(self) -> cloudfront.FunctionAssociation:
        return cloudfront.FunctionAssociation(
            event_type=cloudfront.FunctionEventType.VIEWER_REQUEST,
            function=cloudfront.Function(
                self,
                "Rewrite",
                code=cloudfront.FunctionCode.from_file(file_path=str(REWRITE)),
                runtime=cloudfront.FunctionRuntime.JS_2_0,
            ),
        )

    def _page_cache(self) -> cloudfront.CachePolicy:
        age = cdk.Duration.seconds(PAGE_MAX_AGE_S)
        return cloudfront.CachePolicy(
            self,
            "PageCache",
            comment="Pages of the front end",
            min_ttl=cdk.Duration.seconds(0),
            default_ttl=age,
            max_ttl=age,
            enable_accept_encoding_gzip=True,
            enable_accept_encoding_brotli=True,
        )

    def _headers(
        self, identifier: str, cache_control: str, hosts: Sequence[str]
    ) -> cloudfront.ResponseHeadersPolicy:
        return cloudfront.ResponseHeadersPolicy(
            self,
            identifier,
            custom_headers_behavior=cloudfront.ResponseCustomHeadersBehavior(
                custom_headers=[
                    cloudfront.ResponseCustomHeader(
                        header="Cache-Control", value=cache_control, override=True
                    )
                ]
            ),
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                    content_security_policy=content_security_policy(hosts), override=True
                ),
                content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
                frame_options=cloudfront.ResponseHeadersFrameOptions(
                    frame_option=cloudfront.HeadersFrameOption.DENY, override=True
                ),
                referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                    referrer_policy=cloudfront.HeadersReferrerPolicy.SAME_ORIGIN, override=True
                ),
                strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                    access_control_max_age=cdk.Duration.seconds(_HSTS_S), override=True
                ),
            ),
        )


def content_security_policy(hosts: Sequence[str]) -> str:
    """Return what the application may load; `hosts` are origins (`https://api.example.com`)."""
    others = "".join(f" {host}" for host in hosts)
    return (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        f"connect-src 'self'{others}; img-src 'self' data: blob:{others}; "
        f"media-src 'self' blob:{others}; font-src 'self' data:; worker-src 'self' blob:; "
        "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    )
