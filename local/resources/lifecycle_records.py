"""Types that make nothing in an account: CDK's metadata and CloudFormation's wait handles."""

from __future__ import annotations

from local.resources.base import Context
from local.resources.kind import Kind, Properties


class CdkMetadata(Kind):
    """CDK's analytics string."""

    type_name = "AWS::CDK::Metadata"
    properties = frozenset({"Analytics"})

    def make(self, context: Context, properties: Properties) -> str:
        return context.unique_name()

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        """Nothing was made."""


class WaitConditionHandle(Kind):
    """The address a wait condition would be signalled on; nothing waits on it."""

    type_name = "AWS::CloudFormation::WaitConditionHandle"
    properties = frozenset()

    def make(self, context: Context, properties: Properties) -> str:
        return context.unique_name()

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        """Nothing was made."""


HANDLERS = (CdkMetadata(), WaitConditionHandle())
