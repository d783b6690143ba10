"""What Secrets Manager asks of a rotation function.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-lambda-function-overview.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


class RotationRefused(ValueError):  # noqa: N818 - reads as the finding that it is
    """The request cannot be done as it stands; the text names what is wrong, never a password."""


@dataclass(frozen=True)
class Request:
    """One step. `version` is the id that the new password has from createSecret on."""

    step: str
    secret: str
    version: str


def parse(event: Mapping[str, Any]) -> Request:
    """Return what an event asks. Raises: RotationRefused naming what is missing or unknown."""
    fields = ("Step", "SecretId", "ClientRequestToken")
    missing = [name for name in fields if not isinstance(event.get(name), str) or not event[name]]
    if missing:
        raise RotationRefused(f"the event lacks {', '.join(missing)}")
    if event["Step"] not in STEPS:
        raise RotationRefused(f"Step must be one of {', '.join(STEPS)}, got {event['Step']!r}")
    return Request(*(event[name] for name in fields))


def current_version(description: Mapping[str, Any], version: str) -> str:
    """Return the id of the version that is AWSCURRENT, given DescribeSecret's answer.

    Raises: RotationRefused when the secret does not rotate, or nobody began to rotate `version`.
    """
    if not description.get("RotationEnabled"):
        raise RotationRefused("rotation is not enabled for the secret")
    stages: Mapping[str, list[str]] = description.get("VersionIdsToStages", {})
    if not {"AWSPENDING", "AWSCURRENT"} & set(stages.get(version, [])):
        raise RotationRefused(f"version {version} is neither AWSPENDING nor AWSCURRENT")
    found = [name for name, labels in stages.items() if "AWSCURRENT" in labels]
    if not found:
        raise RotationRefused("no version of the secret is AWSCURRENT")
    return found[0]


def still_applying(instance: Mapping[str, Any]) -> bool:
    """Whether RDS has not yet applied a new password, given its description of an instance.

    Until it has, PendingModifiedValues holds MasterUserPassword, and then the status says so:
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
    """
    pending = "MasterUserPassword" in instance.get("PendingModifiedValues", {})
    return pending or instance["DBInstanceStatus"] == "resetting-master-credentials"
