"""Where configuration lies: SSM paths and the form in which a parameter points at a secret.

One parameter a key below a role's path (`/academy/api/env/DB_HOST`). A secret's parameter holds
no value but a reference, `secretsmanager:<arn>` or `secretsmanager:<arn>#<json key>`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from config.contracts.names import BARE_ENVIRONMENTS, PREFIX

SECRET_SCHEME = "secretsmanager:"  # noqa: S105 - the form of a reference, no secret


def environment_path(environment: str, role: str) -> str:
    """Return the SSM path of a role's environment; `role` is `api` or `workers`."""
    middle = "" if environment in BARE_ENVIRONMENTS else f"{environment}/"
    return f"/{PREFIX}/{middle}{role}/env"


def kind_path(environment: str, kind: str) -> str:
    """Return the SSM path of what one worker kind is told besides the others, its credentials."""
    return f"{environment_path(environment, 'workers')}/{kind}"


#: What operators and pipelines find by its parameter, since its name is generated: `found_path`.
RELEASE_BUCKET = "release-bucket"
HEALTH_CANARY = "health-canary"


def found_path(environment: str, thing: str) -> str:
    """Return the SSM path of a generated name: `/academy/prod/release-bucket`."""
    return f"/{PREFIX}/{environment}/{thing}"


def secret_reference(arn: str, json_key: str | None = None) -> str:
    """Return the parameter value that stands for a secret, or for one key of a JSON secret."""
    return f"{SECRET_SCHEME}{arn}" + (f"#{json_key}" if json_key else "")


def parse_secret_reference(value: str) -> tuple[str, str | None] | None:
    """Return `(arn, json key or None)` when a parameter's value points at a secret, else None."""
    if not value.startswith(SECRET_SCHEME):
        return None
    arn, _, key = value.removeprefix(SECRET_SCHEME).partition("#")
    return arn, key or None


def configuration_digest(versions: Mapping[str, str]) -> str:
    """Return 12 hex digits that stand for a configuration: which version of what it is made of.

    `versions` maps each parameter's key to `<Version>.<LastModifiedDate in whole epoch seconds>`,
    and each referenced secret's ARN to the id of its version AWSCURRENT; the secret that
    DB_SECRET_ARN names does not count, since processes read it again by themselves. No value goes
    in: the digest may be shown to anybody, and computed by who may read no secret.
    """
    lines = "".join(f"{name}={versions[name]}\n" for name in sorted(versions))
    return hashlib.sha256(lines.encode()).hexdigest()[:12]
