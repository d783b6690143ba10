"""What runs inside a function's process: load the handler, give it the event, keep its answer.

Started as a script by `local.hosts.function` with the deployed code's directory, the event's and
the answer's files; its standard output is the function's log. Standard library only.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any


class _Context:
    """The context object of the Lambda runtime for Python."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.invoked_function_arn = facts["arn"]
        self.aws_request_id = facts["request_id"]
        self.identity = None
        self.client_context = None
        self._deadline = facts["deadline"]

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds that are left until the function is ended."""
        return max(0, int((self._deadline - time.time()) * 1000))


def _failure(error: BaseException, kind: str | None, request_id: str) -> dict[str, Any]:
    """Return an error as Lambda reports it, and log it as Lambda does."""
    name = kind or type(error).__name__
    frames = [] if kind else traceback.format_tb(error.__traceback__)[1:]
    print(f"[ERROR] {name}: {error}")  # noqa: T201 (the function's log)
    if frames:
        print("Traceback (most recent call last):\n" + "".join(frames), end="")  # noqa: T201
    answer = {"errorMessage": str(error), "errorType": name, "requestId": request_id}
    return {**answer, "stackTrace": frames}


def run(facts: dict[str, Any]) -> tuple[Any, bool]:
    """Return the handler's answer, or an error in Lambda's form and True."""
    request_id = facts["request_id"]
    module, _, name = os.environ["_HANDLER"].rpartition(".")
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    try:
        handler = getattr(importlib.import_module(module.replace("/", ".")), name)
    except AttributeError as error:
        return _failure(error, "Runtime.HandlerNotFound", request_id), True
    except ImportError as error:
        message = f"Unable to import module '{module}': {error}"
        return _failure(ImportError(message), "Runtime.ImportModuleError", request_id), True
    except Exception as error:
        return _failure(error, None, request_id), True
    try:
        answer = handler(facts["event"], _Context(facts))
    except Exception as error:
        return _failure(error, None, request_id), True
    try:
        return json.loads(json.dumps(answer)), False
    except (TypeError, ValueError) as error:
        message = f"Unable to marshal response: {error}"
        return _failure(ValueError(message), "Runtime.MarshalError", request_id), True


def main(given: Path, answered: Path) -> None:
    """Run the event of one file and put the answer into the other, in one move."""
    answer, failed = run(json.loads(given.read_text()))
    sys.stdout.flush()
    aside = answered.with_suffix(".part")
    aside.write_text(json.dumps({"answer": answer, "failed": failed}))
    aside.replace(answered)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
