"""Findings of cdk-nag that we accept, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

#: Why `*` is granted for an action of which AWS offers nothing narrower.
NO_RESOURCE = "AWS knows no resource for these actions (Service Authorization Reference)"


def acknowledge(construct: Construct, rule: str, reason: str) -> None:
    """Accept a finding of cdk-nag's AwsSolutions on a construct and all below it.

    `rule` is what the finding asks to be acknowledged, without the pack: `S1`, or
    `IAM5[Resource::*]` for one permission. `reason` says what stands in the finding's stead.
    """
    cdk.Validations.of(construct).acknowledge(
        cdk.Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason)
    )


def grant_pattern(
    grantee: iam.IGrantable,
    *,
    actions: Sequence[str],
    arns: Sequence[str],
    reason: str,
    conditions: Mapping[str, Mapping[str, object]] | None = None,
) -> None:
    """Grant actions on ARNs that hold a `*`, and accept cdk-nag's finding on exactly these.

    Any other pattern granted to the same role stays a finding. An ARN with a token of another
    stack must be that stack's export already: see `S3Storage.grant`.
    """
    iam.Grant.add_to_principal(
        grantee=grantee, actions=list(actions), resource_arns=list(arns), conditions=conditions
    )
    accept_patterns(grantee, arns=arns, reason=reason)


def accept_patterns(grantee: iam.IGrantable, *, arns: Sequence[str], reason: str) -> None:
    """Accept patterns that a grant of CDK's own gave a role: those among `arns` with a `*`."""
    role = grantee.grant_principal
    if not isinstance(role, Construct):
        raise TypeError(f"{role} is no role of ours, nothing can be acknowledged on it")
    for arn in arns:
        pattern = rendered(cdk.Stack.of(role).resolve(arn))
        if "*" in pattern:
            acknowledge(role, f"IAM5[Resource::{pattern}]", reason)


def rendered(value: Any) -> str:
    """Return a resolved value as cdk-nag names it: `<Bucket.Arn>/*`, `arn:aws:s3:::<Ref>/*`.

    https://github.com/cdklabs/cdk-nag/blob/main/src/utils/flatten-cfn-reference.ts
    """
    match value:
        case {"Fn::Join": [str(delimiter), list(parts)]}:
            return delimiter.join(rendered(part) for part in parts)
        case {"Fn::GetAtt": [resource, attribute]}:
            return f"<{resource}.{attribute}>"
        case {"Fn::ImportValue": name}:
            return rendered(name)
        case {"Ref": name}:
            return f"<{name}>"
        case str():
            return value.replace("${", "<").replace("}", ">")
    raise TypeError(f"{value!r} is not rendered as cdk-nag would")
