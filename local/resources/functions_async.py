"""AWS::Lambda::EventInvokeConfig: how asynchronous runs are repeated."""

from __future__ import annotations

from typing import Any

from local.resources.base import Context
from local.resources.calls import InvalidPropertyError
from local.resources.kind import Kind, Properties


class EventInvokeConfig(Kind):
    """Says that a failed asynchronous run is not repeated, as none ever is here.

    Lambda's own default is two repetitions: any other number than 0 is refused.
    """

    type_name = "AWS::Lambda::EventInvokeConfig"
    properties = frozenset(
        {"FunctionName", "MaximumEventAgeInSeconds", "MaximumRetryAttempts", "Qualifier"}
    )
    replace_on = frozenset({"FunctionName", "Qualifier"})

    def make(self, context: Context, properties: Properties) -> str:
        return f"{properties['FunctionName']}|{properties['Qualifier']}"

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        retries = int(new.get("MaximumRetryAttempts", 2))
        if retries != 0:
            raise InvalidPropertyError(
                f"MaximumRetryAttempts is {retries}; allowed here: 0, since nothing repeats a run"
            )
        self._functions(context).put_function_event_invoke_config(
            FunctionName=new["FunctionName"],
            MaximumRetryAttempts=0,
            MaximumEventAgeInSeconds=int(new.get("MaximumEventAgeInSeconds", 21600)),
        )

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        self._functions(context).delete_function_event_invoke_config(
            FunctionName=properties["FunctionName"]
        )

    @staticmethod
    def _functions(context: Context) -> Any:
        return context.clients.client("lambda")


HANDLERS = (EventInvokeConfig(),)
