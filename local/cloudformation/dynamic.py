"""Dynamic references, `{{resolve:...}}`: read from Systems Manager and Secrets Manager."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from local.clients import Clients
from local.cloudformation.errors import DeploymentError

_REFERENCE = re.compile(r"\{\{resolve:([a-z-]+):(.+?)\}\}")
#: An ARN's own colons: arn:aws:secretsmanager:region:account:secret:name.
_ARN_PARTS = 7


def resolve(value: Any, clients: Clients) -> Any:
    """Return `value` with every dynamic reference replaced by what it points at.

    Raises: DeploymentError naming a reference that does not resolve.
    """
    if isinstance(value, Mapping):
        return {key: resolve(item, clients) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, clients) for item in value]
    if isinstance(value, str) and "{{resolve:" in value:
        return _REFERENCE.sub(lambda match: _read(match, clients), value)
    return value


def read_parameter(name: str, clients: Clients) -> str:
    """Return the value of a parameter of Systems Manager; `name` may end in `:<version>`.

    Raises: DeploymentError when there is none.
    """
    try:
        answer = clients.client("ssm").get_parameter(Name=name, WithDecryption=True)
    except ClientError as error:
        raise DeploymentError(
            f"Unable to fetch parameters [{name}] from parameter store for this account: {error}"
        ) from error
    return str(answer["Parameter"]["Value"])


def _read(match: re.Match[str], clients: Clients) -> str:
    service, rest = match.groups()
    if service in {"ssm", "ssm-secure"}:
        return read_parameter(rest, clients)
    if service == "secretsmanager":
        return _read_secret(rest, clients)
    raise DeploymentError(
        f"Dynamic reference to {service!r}; allowed: ssm, ssm-secure, secretsmanager"
    )


def _read_secret(reference: str, clients: Clients) -> str:
    parts = reference.split(":")
    width = _ARN_PARTS if reference.startswith("arn:") else 1
    secret_id, rest = ":".join(parts[:width]), parts[width:]
    _kind, key, stage, version = (*rest, "", "", "", "")[:4]
    wanted = {"SecretId": secret_id, "VersionStage": stage, "VersionId": version}
    try:
        answer = clients.client("secretsmanager").get_secret_value(
            **{name: value for name, value in wanted.items() if value}
        )
        secret: str = answer["SecretString"]
        return secret if not key else str(json.loads(secret)[key])
    except ClientError as error:
        raise DeploymentError(f"Could not read secret {secret_id}: {error}") from error
    except (KeyError, json.JSONDecodeError):
        raise DeploymentError(f"Secret {secret_id} has no JSON key {key!r}") from None
