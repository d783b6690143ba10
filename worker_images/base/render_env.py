"""Renders a role's environment file from Parameter Store, secrets resolved, to standard output.

    python -m worker_images.base.render_env --role workers --path /academy/workers/env > FILE

Writes nothing and exits 1, saying why, when a required key is missing or empty, when a value
would break the file, or when too many keys of `--previous` are gone (an emptied path must not
take a running role down).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3

from config.contracts import environment as names
from config.contracts.parameters import parse_secret_reference
from worker_images.base.errors import ConfigurationError
from worker_images.base.settings import require

REQUIRED = {"workers": names.WORKERS, "api": names.API}
#: Largest share of the previous keys that may disappear at once.
MAX_DROP = 0.3


def render(
    parameters: Mapping[str, str],
    *,
    required: tuple[str, ...],
    secret_value: Callable[[str], str],
    previous: str = "",
) -> str:
    """Return the text of an environment file, one sorted `KEY=value` a line.

    `parameters` maps keys to values or secret references; `secret_value` returns a secret's
    string by ARN; `previous` is the text of the file in use.

    Raises: ConfigurationError naming the keys that are wrong, never their values.
    """
    values = {key: _resolve(key, value, secret_value) for key, value in parameters.items()}
    require(values, required)
    if values.get(names.STORAGE_PROVIDER) == "r2":
        require(values, names.R2_CREDENTIALS)
    broken = sorted(key for key, value in values.items() if "\n" in value or "\r" in value)
    if broken:
        raise ConfigurationError(f"values must be one line each: {', '.join(broken)}")
    _check_drop(previous, values)
    return "".join(f"{key}={values[key]}\n" for key in sorted(values))


def _check_drop(previous: str, values: Mapping[str, str]) -> None:
    before = {line.partition("=")[0] for line in previous.splitlines() if "=" in line}
    gone = sorted(before - values.keys())
    if len(gone) > MAX_DROP * len(before):
        raise ConfigurationError(
            f"{len(gone)} of {len(before)} keys are gone, more than {MAX_DROP:.0%}: "
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


def read_parameters(ssm: Any, path: str) -> dict[str, str]:
    """Return the parameters directly below `path`, by the last part of their names."""
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=path, WithDecryption=True)
    return {
        found["Name"].rpartition("/")[2]: found["Value"]
        for page in pages
        for found in page["Parameters"]
    }


def main(arguments: list[str]) -> int:
    """Run the command; the file's text goes to standard output only when all of it is good."""
    parser = argparse.ArgumentParser(prog="render_env")
    parser.add_argument("--role", choices=sorted(REQUIRED), required=True)
    parser.add_argument("--path", required=True, help="SSM path, such as /academy/workers/env")
    parser.add_argument("--previous", type=Path, help="the environment file in use, if any")
    options = parser.parse_args(arguments)
    has_previous = options.previous is not None and options.previous.exists()
    secrets = boto3.client("secretsmanager")
    try:
        text = render(
            read_parameters(boto3.client("ssm"), options.path),
            required=REQUIRED[options.role],
            secret_value=lambda arn: str(secrets.get_secret_value(SecretId=arn)["SecretString"]),
            previous=options.previous.read_text() if has_previous else "",
        )
    except ConfigurationError as error:
        sys.stderr.write(f"render_env: {options.path}: {error}\n")
        return 1
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
