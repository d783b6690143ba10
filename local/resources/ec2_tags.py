"""Tags of EC2 resources: one call for every type."""

from __future__ import annotations

from typing import Any

from local.resources.calls import dropped_tags, tag_list
from local.resources.kind import Properties


def settle_tags(ec2: Any, resource: str, old: Properties, new: Properties) -> None:
    """Give the resource the tags of `new` and take away those that only `old` had."""
    if dropped := dropped_tags(old, new):
        ec2.delete_tags(Resources=[resource], Tags=[{"Key": key} for key in dropped])
    if tags := tag_list(new):
        ec2.create_tags(Resources=[resource], Tags=tags)
