"""What stands between viewers and the load balancer, and how it shows that it is that."""

from __future__ import annotations

from config.contracts.names import BARE_ENVIRONMENTS, PREFIX

#: CloudFront takes certificates and web ACLs from this region alone.
EDGE_REGION = "us-east-1"
#: Output of the edge's stack: the id under which CloudFront knows the playback key.
KEY_PAIR_OUTPUT = "PlaybackKeyPairId"
#: Carries the origin secret from the edge to the load balancer, which answers nobody else.
ORIGIN_HEADER = "X-Origin-Verify"
#: What our own callers call themselves: Cloudflare refuses the name that Python's urllib gives
#: itself (error 1010). https://developers.cloudflare.com/waf/tools/browser-integrity-check/
USER_AGENT = "academy-platform"
#: Holds the viewer's address where Cloudflare stands in front.
#: https://developers.cloudflare.com/fundamentals/reference/http-headers/
CLOUDFLARE_ADDRESS_HEADER = "CF-Connecting-IP"
#: Addresses that Cloudflare asks origins from: https://www.cloudflare.com/ips-v4, as of 2026-09-29.
#: The load balancer has IPv4 alone.
CLOUDFLARE_IPV4 = (
    "173.245.48.0/20",
    "103.21.244.0/22",
    "103.22.200.0/22",
    "103.31.4.0/22",
    "141.101.64.0/18",
    "108.162.192.0/18",
    "190.93.240.0/20",
    "188.114.96.0/20",
    "197.234.240.0/22",
    "198.41.128.0/17",
    "162.158.0.0/15",
    "104.16.0.0/13",
    "104.24.0.0/14",
    "172.64.0.0/13",
    "131.0.72.0/22",
)
#: AWS's own list of the addresses that CloudFront asks origins from, by region; AWS keeps it
#: current. `aws ec2 describe-managed-prefix-lists` shows another region's id, under the name
#: com.amazonaws.global.cloudfront.origin-facing. It counts as 55 of a security group's 60 rules:
#: https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
CLOUDFRONT_PREFIX_LISTS = {"ap-northeast-2": "pl-22a6434b"}


def edge_stack_name(environment: str) -> str:
    """Return the name of the edge's stack, which stands in EDGE_REGION."""
    return f"{PREFIX}-{environment}-edge"


def origin_secret_name(environment: str) -> str:
    """Return the secret of ORIGIN_HEADER, under one name in both regions.

    Named, since a reference by ARN would not lead to the copy in the other region. No hyphen: AWS
    would take six letters after one for the end of an ARN.
    """
    middle = "" if environment in BARE_ENVIRONMENTS else f"{environment}/"
    return f"{PREFIX}/{middle}edge/origin"
