"""Lambda."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from tests.local.properties.reader import Properties, Reader, chosen, present


def _function(aws: Any, name: str, template: Properties) -> dict[str, Any]:
    client = aws.client("lambda")
    function = client.get_function(FunctionName=name)
    configuration = function["Configuration"]
    shown = chosen(
        configuration,
        "Architectures",
        "Description",
        "Environment",
        "EphemeralStorage",
        "FunctionName",
        "Handler",
        "LoggingConfig",
        "MemorySize",
        "Role",
        "Runtime",
        "Timeout",
        "TracingConfig",
    )
    shown["Code"] = _code(aws, configuration["CodeSha256"], template["Code"])
    concurrency = client.get_function_concurrency(FunctionName=name)
    shown |= chosen(concurrency, "ReservedConcurrentExecutions")
    tags = function.get("Tags", {})
    shown["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    return shown


def _code(aws: Any, sha256: str, code: Properties) -> dict[str, Any]:
    """Return the S3 object whose bytes the function runs: Lambda shows their hash alone."""
    stored = aws.client("s3").get_object(Bucket=code["S3Bucket"], Key=code["S3Key"])
    digest = base64.b64encode(hashlib.sha256(stored["Body"].read()).digest()).decode()
    assert digest == sha256, f"the function runs {sha256}, the asset is {digest}"
    return {"S3Bucket": code["S3Bucket"], "S3Key": code["S3Key"]}


def _function_attributes(aws: Any, name: str) -> dict[str, Any]:
    function = aws.client("lambda").get_function(FunctionName=name)
    return {"Arn": function["Configuration"]["FunctionArn"]}


def _permission(aws: Any, statement: str, template: Properties) -> dict[str, Any]:
    answer = aws.client("lambda").get_policy(FunctionName=template["FunctionName"])
    policy = json.loads(answer["Policy"])
    (found,) = [item for item in policy["Statement"] if item["Sid"] == statement]
    conditions = found.get("Condition", {})
    return present(
        Action=found["Action"],
        FunctionName=found["Resource"],
        Principal=found["Principal"]["Service"],
        SourceArn=conditions.get("ArnLike", {}).get("AWS:SourceArn"),
        SourceAccount=conditions.get("StringEquals", {}).get("AWS:SourceAccount"),
    )


def _async(aws: Any, physical_id: str, template: Properties) -> dict[str, Any]:
    name, qualifier = physical_id.split("|")
    found = aws.client("lambda").get_function_event_invoke_config(FunctionName=name)
    shown = chosen(found, "MaximumRetryAttempts", "MaximumEventAgeInSeconds")
    return {**shown, "FunctionName": name, "Qualifier": qualifier}


READERS = (
    Reader("AWS::Lambda::Function", _function, attributes=_function_attributes),
    Reader("AWS::Lambda::Permission", _permission),
    Reader("AWS::Lambda::EventInvokeConfig", _async),
)
