"""Where instances come from: the launch template behind a group's settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import ClientError

from local.services.autoscaling.model import invalid

#: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_InstancesDistribution.html
_SPOT_STRATEGIES = (
    "lowest-price",
    "capacity-optimized",
    "capacity-optimized-prioritized",
    "price-capacity-optimized",
)


class ClientSource(Protocol):
    """Gives boto3 clients of the embedded AWS."""

    def client(self, service: str) -> Any:
        """Return the client of an AWS service."""


@dataclass(frozen=True)
class Source:
    """One launch template version, resolved: its specification and the data of its instances."""

    specification: dict[str, str]
    data: dict[str, Any]


class Sources:
    """Looks launch templates and subnets up in EC2."""

    def __init__(self, clients: ClientSource) -> None:
        self._clients = clients

    def settle(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Return settings with the template's id and name, and the zones of the subnets.

        Raises: ServiceError when there is no such template, or none is given.
        """
        settings = dict(settings)
        mixed = settings.get("MixedInstancesPolicy")
        if bool(mixed) == bool(settings.get("LaunchTemplate")):
            raise invalid(
                "Valid requests must contain either LaunchTemplate or MixedInstancesPolicy, "
                "and not both"
            )
        if mixed:
            template = mixed.get("LaunchTemplate")
            if not template:
                raise invalid("A mixed instances policy must be created with a LaunchTemplate")
            named = self._named(template["LaunchTemplateSpecification"])
            template = {**template, "LaunchTemplateSpecification": named}
            _check_distribution(mixed.get("InstancesDistribution") or {})
            settings["MixedInstancesPolicy"] = {**mixed, "LaunchTemplate": template}
        else:
            settings["LaunchTemplate"] = self._named(settings["LaunchTemplate"])
        if subnets := subnets_of(settings):
            found = self._clients.client("ec2").describe_subnets(SubnetIds=subnets)["Subnets"]
            settings["AvailabilityZones"] = sorted({s["AvailabilityZone"] for s in found})
        settings.setdefault("AvailabilityZones", [])
        return settings

    def pools(self, settings: dict[str, Any]) -> int:
        """Return how many instance types the settings offer."""
        return max(1, len(_overrides(settings)))

    def resolve(self, settings: dict[str, Any], pool: int = 0) -> Source:
        """Return what the next instance is launched from; `pool` counts the types offered.

        Raises: ClientError when the template is gone.
        """
        mixed = settings.get("MixedInstancesPolicy")
        if mixed is None:
            return self._version(settings["LaunchTemplate"])
        chosen = (_overrides(settings) or [{}])[pool]
        named = chosen.get("LaunchTemplateSpecification")
        source = self._version(named or mixed["LaunchTemplate"]["LaunchTemplateSpecification"])
        if "InstanceType" in chosen:
            data = {**source.data, "InstanceType": chosen["InstanceType"]}
            return Source(source.specification, data)
        return source

    def _named(self, specification: dict[str, str]) -> dict[str, str]:
        try:
            found = self._version(specification).specification
        except ClientError as error:
            reason = error.response["Error"]["Message"]
            raise invalid(f"You must use a valid fully-formed launch template. {reason}") from error
        return {**found, "Version": specification.get("Version", "$Default")}

    def _version(self, specification: dict[str, str]) -> Source:
        version = specification.get("Version", "$Default")
        key = "LaunchTemplateId" if "LaunchTemplateId" in specification else "LaunchTemplateName"
        [found] = self._clients.client("ec2").describe_launch_template_versions(
            **{key: specification[key]}, Versions=[version]
        )["LaunchTemplateVersions"]
        resolved = {
            "LaunchTemplateId": found["LaunchTemplateId"],
            "LaunchTemplateName": found["LaunchTemplateName"],
            "Version": str(found["VersionNumber"]),
        }
        return Source(resolved, found["LaunchTemplateData"])


def changed_mix(before: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return a mixed instances policy after an update: what is not given stays, part by part.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_UpdateAutoScalingGroup.html
    Not played: AWS then also replaces instances that are not protected, one by one.
    """
    spread = {
        **(before.get("InstancesDistribution") or {}),
        **(given.get("InstancesDistribution") or {}),
    }
    return {**before, **given, "InstancesDistribution": spread}


def _overrides(settings: dict[str, Any]) -> list[dict[str, Any]]:
    mixed = settings.get("MixedInstancesPolicy") or {"LaunchTemplate": {}}
    return mixed["LaunchTemplate"].get("Overrides") or []


def _check_distribution(distribution: dict[str, Any]) -> None:
    """Refuse what AWS refuses. Raises: ServiceError naming the value."""
    strategy = distribution.get("SpotAllocationStrategy", _SPOT_STRATEGIES[0])
    if strategy not in _SPOT_STRATEGIES:
        raise invalid(
            f"SpotAllocationStrategy {strategy!r} is not valid; "
            f"allowed: {', '.join(_SPOT_STRATEGIES)}"
        )
    percent = int(distribution.get("OnDemandPercentageAboveBaseCapacity", 100))
    if not 0 <= percent <= 100:
        raise invalid(
            f"OnDemandPercentageAboveBaseCapacity {percent} is not valid; allowed: 0 to 100"
        )


def subnets_of(settings: dict[str, Any]) -> list[str]:
    """Return the subnets of a group's VPCZoneIdentifier."""
    return [s.strip() for s in (settings.get("VPCZoneIdentifier") or "").split(",") if s.strip()]
