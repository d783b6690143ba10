"""What EC2's types share: one call makes them, one removes them, and all have the same tags."""

from __future__ import annotations

from typing import Any, ClassVar

from local.resources.base import Context
from local.resources.calls import call, dropped_tags, tag_list, without
from local.resources.kind import Kind, Properties


def settle_tags(ec2: Any, resource: str, old: Properties, new: Properties) -> None:
    """Give the resource the tags of `new` and take away those that only `old` had."""
    if dropped := dropped_tags(old, new):
        ec2.delete_tags(Resources=[resource], Tags=[{"Key": key} for key in dropped])
    if tags := tag_list(new):
        ec2.create_tags(Resources=[resource], Tags=tags)


class Ec2Kind(Kind):
    """A type made by one call, and removed by one that takes its id.

    `made` is the API's create operation and the path of the id in its answer; `removed` the
    delete operation and the name of its id parameter. Everything but the tags (and what a
    subclass changes in place) replaces the resource.
    """

    made: ClassVar[tuple[str, str, str]]
    removed: ClassVar[tuple[str, str]]
    in_place: ClassVar[frozenset[str]] = frozenset({"Tags"})

    def __init_subclass__(cls) -> None:
        if "properties" in cls.__dict__ and "replace_on" not in cls.__dict__:
            cls.replace_on = cls.properties - cls.in_place

    def make(self, context: Context, properties: Properties) -> str:
        operation, group, name = self.made
        values = without(properties, *self.in_place)
        answer = call(context.clients.client("ec2"), operation, values)
        return str(answer[group][name])

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        settle_tags(context.clients.client("ec2"), physical_id, old, new)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        operation, name = self.removed
        call(context.clients.client("ec2"), operation, {name: physical_id})
