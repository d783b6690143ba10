"""Custom::* and AWS::CloudFormation::CustomResource: the deployed function does the work.

The function gets the event and the ResponseURL that CloudFormation would send, and answers by a
real PUT to it. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from local.resources.base import ANY_PROPERTY, Applied, Context
from local.services import custom_responses

#: The function has ended when this starts to count; its PUT came before or is on its way.
_ANSWER_WITHIN_S = 5.0


class CustomResourceError(RuntimeError):
    """The function failed, answered FAILED, or did not answer."""


class CustomResource:
    """A resource made by a function. A changed physical id in an answer is a replacement."""

    type_name = "AWS::CloudFormation::CustomResource"
    properties = ANY_PROPERTY
    replace_on = frozenset({"ServiceToken"})

    def create(self, context: Context, properties: Mapping[str, Any]) -> Applied:
        """Send Create."""
        return self._ask(context, "Create", properties)

    def update(
        self, context: Context, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> Applied:
        """Send Update. After another physical id in the answer, the clean-up deletes the former."""
        return self._ask(
            context, "Update", new, PhysicalResourceId=physical_id, OldResourceProperties=dict(old)
        )

    def delete(self, context: Context, physical_id: str, properties: Mapping[str, Any]) -> None:
        """Send Delete."""
        self._ask(context, "Delete", properties, PhysicalResourceId=physical_id)

    def _ask(
        self, context: Context, request: str, properties: Mapping[str, Any], **more: Any
    ) -> Applied:
        request_id = str(uuid.uuid4())
        event = {
            "RequestType": request,
            "RequestId": request_id,
            "ResponseURL": f"{context.endpoint}{custom_responses.PATH}{request_id}",
            "StackId": context.stack_id,
            "LogicalResourceId": context.logical_id,
            "ResourceType": context.type_name or self.type_name,
            "ServiceToken": properties["ServiceToken"],
            "ResourceProperties": dict(properties),
            **more,
        }
        invocation = context.hosts.functions.invoke(properties["ServiceToken"], event)
        subject = f"{request} of {context.logical_id}"
        if invocation.error is not None:
            raise CustomResourceError(f"{subject}: {invocation.error}: {invocation.payload}")
        answer = custom_responses.wait(request_id, _ANSWER_WITHIN_S)
        if answer is None:
            raise CustomResourceError(f"{subject}: the function ended without an answer")
        if answer.get("Status") != "SUCCESS":
            reason = answer.get("Reason", "no reason given")
            raise CustomResourceError(f"{subject}: {reason}")
        physical_id = answer.get("PhysicalResourceId") or more.get("PhysicalResourceId")
        if not physical_id:
            raise CustomResourceError(f"{subject}: the answer has no PhysicalResourceId")
        return Applied(str(physical_id), dict(answer.get("Data") or {}))


HANDLERS = (CustomResource(),)
