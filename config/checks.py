"""Checks that span several settings. Each yields problems with the key that must change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError

from config.models import Settings

Key = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One wrong value: where it stands, what it is, and what is allowed there."""

    key: Key
    value: object
    allowed: str


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield what is wrong between the settings, in a fixed order."""
    yield from _queues(settings)
    yield from _fleets(settings)
    yield from _api(settings)
    yield from _storage(settings)
    yield from _places(settings)
    yield from _ladder(settings)


def _queues(settings: Settings) -> Iterator[Problem]:
    """A queue has one fleet, and a fleet's queues share the timing that its workers are given."""
    owner: dict[str, str] = {}
    for kind, worker in settings.workers.items():
        for index, queue in enumerate(worker.queues):
            key: Key = ("workers", kind, "queues", index)
            if queue in owner:
                yield Problem(
                    key,
                    queue,
                    f"a queue that no other worker receives from; '{queue}' belongs to "
                    f"workers.{owner[queue]}",
                )
                continue
            owner[queue] = kind
            if queue not in settings.queues:
                yield Problem(key, queue, f"one of {', '.join(settings.queues)}")
            elif settings.queues[queue] != settings.queues[worker.queues[0]]:
                yield Problem(
                    key,
                    queue,
                    f"queues with the timing of '{worker.queues[0]}', the worker's first queue",
                )


def _fleets(settings: Settings) -> Iterator[Problem]:
    for kind, worker in settings.workers.items():
        if worker.min_instances > worker.max_instances:
            yield Problem(
                ("workers", kind, "min_instances"),
                worker.min_instances,
                f"at most max_instances ({worker.max_instances})",
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
    rds = settings.database.rds
    if rds.max_storage_gb < rds.storage_gb:
        yield Problem(
            ("database", "rds", "max_storage_gb"),
            rds.max_storage_gb,
            f"{rds.storage_gb} (storage_gb) to 65536",
        )


def _ladder(settings: Settings) -> Iterator[Problem]:
    ladder = settings.video.ladder
    for index in range(1, len(ladder)):
        if ladder[index].short_side_px <= ladder[index - 1].short_side_px:
            yield Problem(
                ("video", "ladder", index, "short_side_px"),
                ladder[index].short_side_px,
                f"above {ladder[index - 1].short_side_px}: the smallest rung comes first",
            )
