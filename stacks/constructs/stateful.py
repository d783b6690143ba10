"""What holds data says so itself, in its template."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from config.contracts.statefulness import STATEFUL
from stacks.constructs.platform_stack import Place


def removal_policy(place: Place) -> cdk.RemovalPolicy:
    """Return the policy of what is kept where data is kept, else DESTROY.

    What a failed first deploy made holds nothing yet and goes: its name would be taken otherwise.
    """
    kept = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
    return kept if place.keep_data else cdk.RemovalPolicy.DESTROY


def declare_stateful(resource: Construct, *, place: Place, holds: str) -> None:
    """Mark a resource as holding data (`holds`: "queued jobs"), and keep it where data is kept.

    A deploy, a rollback and the upgrade test refuse to replace or remove what is marked so.
    """
    found = resource if isinstance(resource, cdk.CfnResource) else resource.node.default_child
    if not isinstance(found, cdk.CfnResource):
        raise TypeError(f"{resource.node.path} has no resource of its own to mark")
    found.add_metadata(STATEFUL, holds)
    found.apply_removal_policy(removal_policy(place))
