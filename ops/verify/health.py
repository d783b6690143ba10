"""Does the API answer, through its public address, and everything that it depends on?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from config.contracts.parameters import HEALTH_CANARY, found_path
from ops import aws
from ops.errors import OperatorError
from ops.findings import Finding
from ops.verify.context import Context

#: Longer than the canary may run (`stacks.constructs.canary`).
_ANSWER_S = 60

_FIXES = {
    "dns": "does the domain point at the load balancer?",
    "connect": "is the load balancer there, and does its security group let the world in?",
    "tls": "is the certificate issued, and for this name?",
    "time-out": "are the targets overloaded, or a security group between them closed?",
    "http": "are there healthy targets? Read the API's log group",
    "answer": "something else than the API answers at this address",
}


def ask(context: Context) -> list[Finding]:
    """Ask the canary, which stands where users do."""
    canary = _canary(context)
    if canary is None:
        return [Finding("the canary", "is not deployed", "deploy the whole environment")]
    return [by_canary(_invoked(context, canary))]


def by_canary(answer: Mapping[str, Any]) -> Finding:
    """Return what the canary's answer (`config.contracts.health.Answer`) means."""
    what = f"GET {answer['url']}"
    if answer["up"]:
        return Finding(f"{what} is healthy, {answer['latency_ms']:.0f} ms")
    if answer["failed"]:
        cause = f"the API reports {', '.join(answer['failed'])} as failed"
        return Finding(what, cause, "see the API's log group for the reason")
    cause = f"fails at {answer['hop']}: {answer['reason']}"
    return Finding(what, cause, _FIXES.get(str(answer["hop"]), "read the canary's log"))


def _canary(context: Context) -> str | None:
    name = found_path(context.settings.environment, HEALTH_CANARY)
    try:
        found = aws.client("ssm", context.region).get_parameter(Name=name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ParameterNotFound":
            return None
        raise
    return str(found["Parameter"]["Value"])


def _invoked(context: Context, function: str) -> Mapping[str, Any]:
    canary = aws.client("lambda", context.region, read_s=_ANSWER_S)
    answer = canary.invoke(FunctionName=function, Payload=b"{}")
    body = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise OperatorError(f"the canary {function} failed: {body}", hint="read its log group")
    found: Mapping[str, Any] = body
    return found
