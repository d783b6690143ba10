"""CloudFormation's custom resource `Custom::R2BucketSettings`: event in, answer to its URL out.

Deleting the resource leaves the bucket's settings as they are: the bucket and its objects stay, and
without its rules originals would be kept for ever and browsers could not upload.
"""

from __future__ import annotations

import logging
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.r2_bucket_settings import answer, apply
from lambdas.r2_bucket_settings.request import (
    REQUEST_TYPES,
    BucketSettings,
    RequestInvalid,
    parse,
)

log = logging.getLogger(__name__)

#: Three tries of each call stay within the function's 60 s.
_CONFIG: dict[str, Any] = {
    "connect_timeout": 3,
    "read_timeout": 5,
    "retries": {"total_max_attempts": 3},
}


def handler(event: dict[str, Any], context: object) -> None:
    """Apply the settings and answer, whatever happens."""
    logging.basicConfig(format="%(levelname)s %(message)s")
    logging.getLogger("lambdas").setLevel(logging.INFO)
    physical_id = str(event.get("PhysicalResourceId") or _bucket(event))
    reason = None
    try:
        physical_id = _handle(event, physical_id)
    except (RequestInvalid, BotoCoreError, ClientError) as error:
        reason = str(error)
    except Exception as error:
        # Anything else must be answered too; its text is unknown, so it stays out of the stack.
        reason = f"unexpected {type(error).__name__}; see the function's log"
        log.exception("unexpected failure")
    result = answer.body(event, physical_id=physical_id, reason=reason)
    log.info(
        "%s %s: %s %s", event.get("RequestType"), physical_id, result["Status"], result["Reason"]
    )
    answer.send(event["ResponseURL"], result)


def _handle(event: dict[str, Any], physical_id: str) -> str:
    """Do what the request asks and return the physical id, the bucket's name."""
    kind = event.get("RequestType")
    if kind not in REQUEST_TYPES:
        raise RequestInvalid(f"RequestType must be one of {', '.join(REQUEST_TYPES)}, got {kind!r}")
    if kind == "Delete":
        return physical_id
    settings = parse(event["ResourceProperties"])
    apply.apply(_client(settings), settings)
    return settings.bucket


def _bucket(event: dict[str, Any]) -> str:
    """Return the bucket's name, or a name for a request that lacks it."""
    return str(event.get("ResourceProperties", {}).get("Bucket") or "no-bucket-named")


def _client(settings: BucketSettings) -> Any:
    """Return an S3 client of the settings' endpoint, with the keys from the secret."""
    secrets = boto3.client("secretsmanager", config=Config(**_CONFIG))
    secret = secrets.get_secret_value(SecretId=settings.credentials_arn)["SecretString"]
    access_key, secret_key = apply.credentials(secret)
    return boto3.client(
        "s3",
        endpoint_url=settings.endpoint,
        region_name="auto",
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=Config(
            **_CONFIG,
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
