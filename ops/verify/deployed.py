"""What CloudFormation made of a template: physical ids by stack and logical id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from config.settings import Settings
from ops import aws
from ops.releases.assemblies import Assembly


@dataclass(frozen=True)
class Resource:
    """One resource of an assembly: what its template says, and its physical id."""

    stack: str
    logical_id: str
    declared: Mapping[str, Any]
    physical_id: str

    @property
    def properties(self) -> Mapping[str, Any]:
        """The properties of its template, intrinsics as they stand there."""
        found: Mapping[str, Any] = self.declared.get("Properties", {})
        return found


class Deployed:
    """The resources of an assembly's stacks as they are deployed. Asks CloudFormation once each."""

    def __init__(self, assembly: Assembly, settings: Settings) -> None:
        self.assembly = assembly
        self._settings = settings
        self._ids = cache(self._listed)

    def resources(self, type_name: str) -> Iterator[Resource]:
        """Yield every resource of a type. Raises: botocore's errors."""
        for stack, template in self.assembly.templates().items():
            for logical_id, declared in template.get("Resources", {}).items():
                if declared["Type"] == type_name:
                    physical_id = self._ids(stack).get(logical_id, "")
                    yield Resource(stack, logical_id, declared, physical_id)

    def physical_id(self, stack: str, logical_id: str) -> str:
        """Return a physical id, empty when it is not deployed."""
        return self._ids(stack).get(logical_id, "")

    def _listed(self, stack: str) -> dict[str, str]:
        pages = aws.cloudformation(self._settings, stack).get_paginator("list_stack_resources")
        return {
            each["LogicalResourceId"]: each.get("PhysicalResourceId", "")
            for page in pages.paginate(StackName=stack)
            for each in page["StackResourceSummaries"]
        }
