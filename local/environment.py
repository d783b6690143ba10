"""What a shell needs to use the running AWS: the values behind `python -m local env`."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from config.contracts.parameters import environment_path, parse_secret_reference
from local.clients import ACCESS_KEY, REGION, SECRET_KEY


def variables(endpoint: str) -> dict[str, str]:
    """Return variables for the CLI, the SDKs and the CDK, and the addresses of what is deployed.

    DATABASE_URL, REDIS_URL and API_BASE_URL are there once their stacks are.
    """
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_DEFAULT_REGION": REGION,
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "NODE_NO_WARNINGS": "1",
        **addresses(endpoint),
    }


def addresses(endpoint: str) -> dict[str, str]:
    """Return the deployed database's, cache's and API's URLs, as the parameters tell them."""
    session = boto3.Session(
        aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name=REGION
    )
    ssm = session.client("ssm", endpoint_url=endpoint, config=_CONFIG)
    secrets = session.client("secretsmanager", endpoint_url=endpoint, config=_CONFIG)
    found: dict[str, str] = {}
    try:
        api = _parameters(ssm, environment_path("local", "api"))
        workers = _parameters(ssm, environment_path("local", "workers"))
        found |= _database(api, secrets)
    except (BotoCoreError, ClientError):
        return found
    if "REDIS_HOST" in api:
        found["REDIS_URL"] = f"redis://{api['REDIS_HOST']}:{api['REDIS_PORT']}/0"
    if "API_BASE_URL" in workers:
        found["API_BASE_URL"] = workers["API_BASE_URL"]
    return found


_CONFIG = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10)


def _parameters(ssm: Any, path: str) -> dict[str, str]:
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=path, WithDecryption=True)
    return {
        one["Name"].rpartition("/")[2]: one["Value"] for page in pages for one in page["Parameters"]
    }


def _database(api: dict[str, str], secrets: Any) -> dict[str, str]:
    if "DB_HOST" not in api:
        return {}
    user, password = (_value(api[key], secrets) for key in ("DB_USER", "DB_PASSWORD"))
    place = f"{api['DB_HOST']}:{api['DB_PORT']}/{api['DB_NAME']}"
    return {"DATABASE_URL": f"postgresql://{quote(user, '')}:{quote(password, '')}@{place}"}


def _value(parameter: str, secrets: Any) -> str:
    reference = parse_secret_reference(parameter)
    if reference is None:
        return parameter
    arn, key = reference
    text: str = secrets.get_secret_value(SecretId=arn)["SecretString"]
    return str(json.loads(text)[key]) if key else text
