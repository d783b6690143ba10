"""Renders a role's environment file from Parameter Store, secrets resolved, to standard output.

    python -m worker_images.base.render_env --role workers --path /academy/workers/env > FILE

`--path` may be given several times: what one kind alone is told lies below its own.
Writes nothing and exits 1, saying why, when a required key is missing or empty, when a value
would break the file, or when too many of `--previous-keys` are gone (an emptied path must not
take a running role down).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from config.contracts import environment as names
from config.contracts.parameters import configuration_digest, parse_secret_reference
from worker_images.base.errors import ConfigurationError
from worker_images.base.settings import require

REQUIRED = {"workers": names.WORKERS, "api": names.API}
#: Largest share of the previous keys that may disappear at once.
MAX_DROP = 0.25


def render(
    parameters: Mapping[str, str],
    *,
    required: tuple[str, ...],
    secret_value: Callable[[str], str],
    previous: Collection[str] = (),
    digest: Callable[[], str] | None = None,
) -> str:
    """Return the text of an environment file, one sorted `KEY=value` a line.

    `parameters` maps keys to values or secret references; `secret_value` returns a secret's
    string by ARN; `previous` are the keys of the file in use. `digest`, called once all secrets
    are read, gives the value of CONFIGURATION.

    Raises: ConfigurationError naming the keys that are wrong, never their values.
    """
    values = {key: _resolve(key, value, secret_value) for key, value in parameters.items()}
    require(values, required)
    if values.get(names.STORAGE_PROVIDER) == "r2":
        require(values, names.R2_CREDENTIALS)
    broken = sorted(key for key, value in values.items() if "\n" in value or "\r" in value)
    if broken:
        raise ConfigurationError(f"values must be one line each: {', '.join(broken)}")
    if digest:
        values[names.CONFIGURATION] = digest()
    _check_drop(previous, values)
    return "".join(f"{key}={values[key]}\n" for key in sorted(values))


def _check_drop(previous: Collection[str], values: Mapping[str, str]) -> None:
    gone = sorted(set(previous) - values.keys())
    if len(gone) > MAX_DROP * len(previous):
        raise ConfigurationError(
            f"{len(gone)} of {len(previous)} keys are gone, more than {MAX_DROP:.0%}: "
            + ", ".join(gone)
        )


def _resolve(key: str, value: str, secret_value: Callable[[str], str]) -> str:
    reference = parse_secret_reference(value)
    if reference is None:
        return value
    arn, json_key = reference
    text = secret_value(arn)
    if json_key is None:
        return text
    try:
        return str(json.loads(text)[json_key])
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{key}: secret {arn} has no JSON key {json_key!r}") from error


@dataclass
class Stored:
    """What AWS holds below some paths, read once."""

    ssm: Any
    secrets: Any
    paths: Sequence[str]
    _versions: dict[str, str] = field(default_factory=dict)
    _read: dict[str, str] = field(default_factory=dict)
    _refreshed: str | None = None

    def parameters(self) -> dict[str, str]:
        """Return the parameters directly below the paths, by the last part of their names."""
        found: dict[str, str] = {}
        pages = self.ssm.get_paginator("get_parameters_by_path")
        for path in self.paths:
            for page in pages.paginate(Path=path, WithDecryption=True):
                for one in page["Parameters"]:
                    key = one["Name"].rpartition("/")[2]
                    found[key] = one["Value"]
                    written = int(one["LastModifiedDate"].timestamp())
                    self._versions[key] = f"{one['Version']}.{written}"
        self._refreshed = found.get(names.DATABASE_SECRET)
        return found

    def secret(self, arn: str) -> str:
        """Return a secret's string; each secret is read once, since each reading costs."""
        if arn not in self._read:
            answer = self.secrets.get_secret_value(SecretId=arn)
            self._versions[arn] = answer["VersionId"]
            self._read[arn] = str(answer["SecretString"])
        return self._read[arn]

    def digest(self) -> str:
        """Return the digest of what was read until now."""
        counted = {name: v for name, v in self._versions.items() if name != self._refreshed}
        return configuration_digest(counted)


def main(arguments: list[str]) -> int:
    """Run the command; the file's text goes to standard output only when all of it is good."""
    parser = argparse.ArgumentParser(prog="render_env")
    parser.add_argument("--role", choices=sorted(REQUIRED), required=True)
    parser.add_argument(
        "--path", action="append", required=True, help="SSM path, such as /academy/workers/env"
    )
    parser.add_argument("--previous-keys", default="", help="keys of the file in use, with commas")
    options = parser.parse_args(arguments)
    stored = Stored(boto3.client("ssm"), boto3.client("secretsmanager"), options.path)
    try:
        text = render(
            stored.parameters(),
            required=REQUIRED[options.role],
            secret_value=stored.secret,
            previous=[key for key in options.previous_keys.split(",") if key],
            digest=stored.digest,
        )
    except (ConfigurationError, ClientError, BotoCoreError) as error:
        sys.stderr.write(f"render_env: {', '.join(options.path)}: {_reason(error)}\n")
        return 1
    sys.stdout.write(text)
    return 0


def _reason(error: Exception) -> str:
    """Return why, in the same words each time: AWS's own carry a request's id."""
    if isinstance(error, ClientError):
        return f"{error.operation_name}: {error.response['Error']['Code']}"
    return str(error)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
