"""The calls of AWS in code and in scripts, as the actions that they need."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import botocore.session
from botocore import xform_name

from tests.contracts.reach import Spot, nodes

#: Where IAM's prefix is not the client's name.
PREFIXES = {"elbv2": "elasticloadbalancing"}
#: Where a permission is not named as its call, or a call needs others besides.
#: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
#: Without ListBucket, HeadObject answers 403 for an object that is not there, and our code asks
#: whether it is: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
PERMISSIONS = {
    "s3:HeadObject": ("s3:GetObject", "s3:ListBucket"),
    "s3:ListObjectsV2": ("s3:ListBucket",),
    "s3:DeleteObjects": ("s3:DeleteObject",),
    "lambda:Invoke": ("lambda:InvokeFunction",),
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api-actions.html
    "sqs:ChangeMessageVisibilityBatch": ("sqs:ChangeMessageVisibility",),
    "sqs:DeleteMessageBatch": ("sqs:DeleteMessage",),
}
#: boto3's own transfers over several calls: a HEAD and GETs; PUT, or parts that are given up.
#: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
TRANSFERS = {
    "download_file": ("s3:GetObject", "s3:ListBucket"),
    "upload_file": ("s3:AbortMultipartUpload", "s3:PutObject"),
}
#: Asked for all there are, as a paginator does, not for one by its name:
#: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
LISTING = {"cloudformation:DescribeStacks": "cloudformation:ListStacks"}
#: Commands of the AWS CLI's own that are not named as the call they make.
COMMANDS = {"ecr get-login-password": "ecr get-authorization-token"}
#: These need no permission: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
FREE = frozenset({"sts:GetCallerIdentity"})


@dataclass(frozen=True, order=True)
class Call:
    """An action that somebody needs, and where it is called or documented."""

    action: str
    where: str


def sdk_calls(spots: Iterable[Spot]) -> Iterator[Call]:
    """Yield the calls of every client that is made with the credentials of the role.

    An operation counts where its name is an attribute (`client.send_message`) or a text (handed to
    a paginator or a presigner).
    """
    spots = list(spots)
    by_method = {
        method: actions
        for service in sorted(set(clients(spots)))
        for method, actions in operations(service).items()
    }
    for spot in spots:
        for action in by_method.get(_name(spot.node), ()):
            yield Call(action, spot.where)
            if isinstance(spot.node, ast.Constant) and action in LISTING:
                yield Call(LISTING[action], spot.where)


def clients(spots: Iterable[Spot]) -> Iterator[str]:
    """Yield the service of each `client("sqs")`, but for clients that are given keys."""
    for spot in nodes(spots, ast.Call):
        call = spot.node
        assert isinstance(call, ast.Call)
        called = ast.unparse(call.func).rpartition(".")[2]
        given_keys = any(word.arg == "aws_access_key_id" for word in call.keywords)
        if called == "client" and not given_keys:
            yield from (str(each.value) for each in call.args[:1] if isinstance(each, ast.Constant))


def script_calls(script: str, where: str) -> Iterator[Call]:
    """Yield what a shell script's `aws <service> <operation>` need."""
    for command in re.findall(r"\baws ([a-z0-9]+ [a-z][a-z-]+)", script):
        service, operation = COMMANDS.get(command, command).split()
        actions = operations(service).get(operation.replace("-", "_"))
        assert actions, f"{where}: `aws {command}` is not known"
        yield from (Call(action, f"{where}: aws {command}") for action in actions)


@cache
def operations(service: str) -> dict[str, tuple[str, ...]]:
    """Return a service's actions by client method: `send_message` needs `sqs:SendMessage`."""
    model = botocore.session.get_session().get_service_model(service)
    found: dict[str, tuple[str, ...]] = dict(TRANSFERS) if service == "s3" else {}
    for name in model.operation_names:
        action = f"{PREFIXES.get(service, service)}:{name}"
        needed = PERMISSIONS.get(action, (action,))
        found[xform_name(name)] = tuple(each for each in needed if each not in FREE)
    return found


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return str(node.value) if isinstance(node, ast.Constant) else ""
