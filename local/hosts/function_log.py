"""A function's log: its process's output and Lambda's own lines, sent to CloudWatch Logs."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.hosts.imds import ClientSource


class FunctionLog:
    """One invocation's log stream. `text` is all of it so far."""

    def __init__(self, clients: ClientSource, group: str, stream: str, output: Path) -> None:
        self._logs: Any = clients.client("logs")
        self._target = {"logGroupName": group, "logStreamName": stream}
        self._output = output
        self._read = 0
        self._made = False
        self._pending: list[dict[str, Any]] = []
        self.text = ""

    def line(self, text: str) -> None:
        """Add one line."""
        self.text += f"{text}\n"
        self._pending.append({"timestamp": int(time.time() * 1000), "message": text or " "})

    def copy(self, *, ended: bool = False) -> None:
        """Add the lines that the process has written since the last call.

        One that has no end yet waits for it, unless the process has ended.
        """
        if not self._output.exists():
            return
        with self._output.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        if not ended:
            new = new[: new.rfind(b"\n") + 1]
        self._read += len(new)
        for line in new.decode(errors="replace").splitlines():
            self.line(line)

    def send(self) -> None:
        """Send what is pending; the log group is made when it is missing, as Lambda does."""
        if not self._pending:
            return
        if not self._made:
            group = {"logGroupName": self._target["logGroupName"]}
            with suppress(self._logs.exceptions.ResourceAlreadyExistsException):
                self._logs.create_log_group(**group)
            self._logs.create_log_stream(**self._target)
            self._made = True
        batch, self._pending = self._pending, []
        with suppress(ClientError):  # a group deleted meanwhile: the log is lost, not the answer
            self._logs.put_log_events(**self._target, logEvents=batch)
