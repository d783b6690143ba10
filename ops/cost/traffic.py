"""What use alone costs: bytes that leave, messages, and the lectures, wherever they lie."""

from __future__ import annotations

from collections.abc import Iterator

from ops.cost import machines
from ops.cost.estate import Month
from ops.cost.model import Need


def platform(month: Month) -> Iterator[Need]:
    """Answers of the API, files of the front end, bytes between zones, queue calls, e-mails.

    Each only where the resource stands that it goes through.
    """
    usage, has = month.usage, month.estate.of_type
    yield from _answers(month)
    if has("AWS::RDS::DBInstance") or has("AWS::ElastiCache::ReplicationGroup"):
        yield Need("traffic", "zones.gb", usage.between_zones_gb, "usage: between_zones_gb")
    if has("AWS::SQS::Queue"):
        calls = usage.sqs_requests_million
        yield Need("queues", "sqs.requests", calls, "usage: sqs_requests_million")
    if has("AWS::SNS::Topic"):
        yield Need("queues", "sns.emails", usage.emails / 1e6, "usage: emails")


def _answers(month: Month) -> Iterator[Need]:
    """With R2 the API answers to Cloudflare, and a distribution serves the front end alone."""
    usage = month.usage
    visits = usage.users_a_day * month.days
    has_distribution = bool(month.estate.of_type("AWS::CloudFront::Distribution"))
    if month.estate.of_type("AWS::ElasticLoadBalancingV2::LoadBalancer"):
        by_cloudfront = has_distribution and not month.estate.on_r2
        out = "cloudfront.out" if by_cloudfront else "internet.out"
        yield Need("traffic", out, usage.api_gb(month.days), "usage: api")
        if by_cloudfront:
            calls = usage.requests_million(month.days)
            yield Need("traffic", "cloudfront.requests", calls, "usage: api")
    if has_distribution:
        gb = visits * usage.front_end.kb_a_user / 1e6
        requests = visits * usage.front_end.requests_a_user / 1e6
        yield Need("traffic", "cloudfront.out", gb, "usage: front_end")
        yield Need("traffic", "cloudfront.requests", requests, "usage: front_end")


def lectures(month: Month) -> Iterator[Need]:
    """A month's lectures: sent to R2 over the internet, or written to S3 in the region for nothing.

    None where no video fleet makes them. What is kept is that of one month; each further month adds
    as much, since HLS is never deleted.
    """
    usage, days = month.usage, month.days
    if not machines.fleets(month.estate, "video"):
        return
    stored_gb = usage.lecture_gb(days, usage.lectures.stored_mbps)
    # Originals go 30 days after their lecture is ready: a month's worth lies there.
    original_gb = usage.lecture_gb(days, usage.lectures.source_mbps)
    minutes = usage.lectures.a_day * days * usage.lectures.minutes
    writes = minutes * usage.lectures.objects_a_minute / 1e6
    watched = usage.users_a_day * days * usage.lectures.watched_minutes
    # A player reads one rendition, a third of a minute's objects.
    reads = watched * usage.lectures.objects_a_minute / 3 / 1e6
    store = "r2" if month.estate.on_r2 else "s3"
    if store == "r2":
        yield Need("lectures", "internet.out", stored_gb, "HLS from the workers to R2")
    else:
        by_cloudfront = month.estate.of_type("AWS::CloudFront::Distribution")
        out = "cloudfront.out" if by_cloudfront else "internet.out"
        yield Need("lectures", out, usage.watched_gb(days), "lectures watched")
    yield Need("lectures", f"{store}.gb", stored_gb + original_gb, "a month of HLS and originals")
    yield Need("lectures", f"{store}.writes", writes, "segments written")
    yield Need("lectures", f"{store}.reads", reads, "segments watched")
