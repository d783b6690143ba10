"""Checks that span several settings. Each yields problems with the key that must change."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError

from config.contracts.edges import CLOUDFRONT_PREFIX_LISTS
from config.fleet_checks import fleet_problems
from config.models import Settings
from config.problem import Problem

#: Days back to any moment of which a protected database can be restored.
POINT_IN_TIME_DAYS = 7


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield what is wrong between the settings, in a fixed order."""
    yield from fleet_problems(settings)
    yield from _messaging(settings)
    yield from _api(settings)
    yield from _edge(settings)
    yield from _playback(settings)
    yield from _storage(settings)
    yield from _places(settings)
    yield from _way_out(settings)
    yield from _data(settings)
    yield from _ladder(settings)


def _messaging(settings: Settings) -> Iterator[Problem]:
    """A text is either tried out or sent: Solapi cannot try out. Credentials are made nowhere."""
    messaging = settings.messaging
    if messaging.provider == "solapi" and messaging.test_mode:
        yield Problem(
            ("messaging", "test_mode"), True, "false with 'solapi': Solapi has no test mode"
        )
    if settings.environment != "local" and messaging.credentials_secret_name is None:
        yield Problem(
            ("messaging", "credentials_secret_name"),
            None,
            "a secret's name; null in the local environment alone",
        )


def _api(settings: Settings) -> Iterator[Problem]:
    api = settings.api
    if settings.environment != "local" and api.domain_name is None:
        yield Problem(
            ("api", "domain_name"), None, "a host name; null in the local environment alone"
        )
    room = 1 if api.compute == "ec2" else 0
    if api.max_instances < api.min_instances + room:
        yield Problem(
            ("api", "max_instances"),
            api.max_instances,
            f"{api.min_instances + room} to 50 with compute '{api.compute}' and "
            f"min_instances {api.min_instances}",
        )


def _edge(settings: Settings) -> Iterator[Problem]:
    """An edge has a name of its own, which browsers may upload from, and an origin with a name."""
    edge, key = settings.edge, ("edge", "domain_name")
    name = edge.domain_name
    if edge.provider == "none":
        if name is not None:
            yield Problem(key, name, "null with provider 'none'")
        return
    if name is None:
        yield Problem(key, None, f"a host name with provider '{edge.provider}'")
        return
    if settings.api.domain_name is None:
        yield Problem(("api", "domain_name"), None, "a host name with an edge in front of it")
    if name == settings.api.domain_name:
        yield Problem(key, name, "a name other than api.domain_name")
    if edge.provider == "cloudfront" and settings.aws.region not in CLOUDFRONT_PREFIX_LISTS:
        yield Problem(
            ("aws", "region"),
            settings.aws.region,
            f"one of {', '.join(CLOUDFRONT_PREFIX_LISTS)} with edge.provider 'cloudfront'",
        )
    origins = settings.storage.browser_origins
    if not {"*", f"https://{name}"} & set(origins):
        yield Problem(
            ("storage", "browser_origins"),
            origins,
            f"with https://{name} (edge.domain_name), which uploads from the browser",
        )


def _playback(settings: Settings) -> Iterator[Problem]:
    """CloudFront alone checks our cookies, and it reads S3 alone."""
    given = settings.edge.provider, settings.storage.provider
    if settings.edge.playback and given != ("cloudfront", "s3"):
        yield Problem(
            ("edge", "playback"),
            "a key",
            "null unless edge.provider is 'cloudfront' and storage.provider 's3'",
        )


def _storage(settings: Settings) -> Iterator[Problem]:
    storage = settings.storage
    if storage.provider == "r2" and storage.r2 is None:
        yield Problem(
            ("storage", "r2"), None, "endpoint and credentials_secret_name with provider 'r2'"
        )
    seen: dict[str, str] = {}
    for role, name in storage.buckets.model_dump().items():
        if name in seen:
            yield Problem(
                ("storage", "buckets", role), name, f"a name other than that of '{seen[name]}'"
            )
        seen[name] = role


def _places(settings: Settings) -> Iterator[Problem]:
    region = settings.aws.region
    for index, zone in enumerate(settings.network.availability_zones):
        if not zone.startswith(region) or len(zone) != len(region) + 1:
            yield Problem(
                ("network", "availability_zones", index), zone, f"zones of {region}, as {region}a"
            )
    try:
        IPv4Network(settings.network.cidr)
    except (AddressValueError, NetmaskValueError, ValueError) as error:
        yield Problem(("network", "cidr"), settings.network.cidr, f"an IPv4 network ({error})")


def _way_out(settings: Settings) -> Iterator[Problem]:
    """NATs stand in zones; and what instances need outside AWS needs a way out."""
    network = settings.network
    if network.nat_zones > len(network.availability_zones):
        yield Problem(
            ("network", "nat_zones"),
            network.nat_zones,
            f"1 to {len(network.availability_zones)}, the number of availability_zones",
        )
    if network.nat != "none" or not network.interface_endpoints:
        return
    outside = "network.nat 'none' with interface_endpoints leaves no way to the internet"
    if settings.storage.provider == "r2":
        yield Problem(("storage", "provider"), "r2", f"s3: {outside}")
    if "messaging" in settings.workers:
        yield Problem(("workers", "messaging"), "a fleet", f"null: {outside}, where texts are sent")
    for name in ("database", "redis"):
        if external := getattr(settings, name).external:
            yield Problem((name, "external", "host"), external.host, f"external null: {outside}")


def _data(settings: Settings) -> Iterator[Problem]:
    rds = settings.database.rds
    if rds.max_storage_gb < rds.storage_gb:
        yield Problem(
            ("database", "rds", "max_storage_gb"),
            rds.max_storage_gb,
            f"{rds.storage_gb} (storage_gb) to 65536",
        )
    if settings.protect_data and rds.backup_days < POINT_IN_TIME_DAYS:
        yield Problem(
            ("database", "rds", "backup_days"),
            rds.backup_days,
            f"{POINT_IN_TIME_DAYS} to 35 with protect_data",
        )
    if rds.read_replicas and not rds.backup_days:
        yield Problem(
            ("database", "rds", "backup_days"),
            rds.backup_days,
            "1 to 35 with read_replicas: RDS makes a replica from a backup",
        )
    for name in ("database", "redis"):
        if settings.environment != "local" and not getattr(settings, name).tls:
            yield Problem((name, "tls"), False, "true; false in the local environment alone")


def _ladder(settings: Settings) -> Iterator[Problem]:
    """Rungs ascend, and a part holds whole segments: their bounds are key frames of both."""
    video, ladder = settings.video, settings.video.ladder
    if video.part_s % video.segment_s:
        yield Problem(
            ("video", "part_s"), video.part_s, f"a multiple of segment_s ({video.segment_s})"
        )
    for index in range(1, len(ladder)):
        if ladder[index].short_side_px <= ladder[index - 1].short_side_px:
            yield Problem(
                ("video", "ladder", index, "short_side_px"),
                ladder[index].short_side_px,
                f"above {ladder[index - 1].short_side_px}: the smallest rung comes first",
            )
