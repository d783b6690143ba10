"""The Invoke operation of Lambda's API, answered by the functions that really run."""

from __future__ import annotations

import base64
import json
import threading
from typing import Any

from local.hosts.function import LambdaFunctions
from local.protocol import NotOurs, ServiceError

#: What `LogResult` carries at most, from the log's end.
_TAIL_BYTES = 4096


class LambdaInvocations:
    """The Invoke operation of Lambda's API by our host; every other operation stays moto's."""

    name = "lambda"

    def __init__(self, functions: LambdaFunctions) -> None:
        self._functions = functions

    def handle(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """Answer Invoke, synchronously or (`Event`) after it was accepted.

        Raises: ServiceError as `LambdaFunctions.invoke` does, and for a payload that is no JSON.
        """
        if operation != "Invoke":
            raise NotOurs
        name, kind = params["FunctionName"], params.get("InvocationType", "RequestResponse")
        event = _event(params.get("Payload"))
        self._functions.find(name)
        if kind == "DryRun":
            return {"StatusCode": 204}
        if kind == "Event":
            threading.Thread(
                target=self._functions.invoke,
                args=(name, event),
                daemon=True,
                name=f"invoke {name}",
            ).start()
            return {"StatusCode": 202}
        answer = self._functions.invoke(name, event)
        result: dict[str, Any] = {
            "StatusCode": 200,
            "ExecutedVersion": "$LATEST",
            "Payload": json.dumps(answer.payload).encode(),
        }
        if answer.error:
            result["FunctionError"] = answer.error
        if params.get("LogType") == "Tail":
            result["LogResult"] = base64.b64encode(answer.logs.encode()[-_TAIL_BYTES:]).decode()
        return result


def _event(payload: Any) -> Any:
    raw = payload.read() if hasattr(payload, "read") else payload
    try:
        return json.loads(raw) if raw else {}
    except ValueError as error:
        message = f"Could not parse request body into json: {error}"
        raise ServiceError("InvalidRequestContentException", message, 400) from error
