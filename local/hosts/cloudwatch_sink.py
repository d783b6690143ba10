"""Send a container's lines to CloudWatch Logs in batches, as Docker's awslogs driver does.

A direct call instead of boto3, whose import would double the start-up of every container.
"""

from __future__ import annotations

import json
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping

_BATCH_S = 1.0
_BATCH_LINES = 1000
_LINE_BYTES = 250_000
_TIMEOUT_S = 5.0


class CloudWatchSink:
    """Accepts lines from any thread; a background thread sends them about every second.

    Lines that CloudWatch does not take are dropped with one note in `problems`: a log must not
    stop a container (Docker's non-blocking mode).
    """

    def __init__(self, endpoint: str, region: str, group: str, stream: str) -> None:
        self._endpoint, self._region = endpoint, region
        self._target = {"logGroupName": group, "logStreamName": stream}
        self._lines: queue.Queue[dict[str, object] | None] = queue.Queue()
        self._order = threading.Lock()
        self.problems: list[str] = []
        self._thread = threading.Thread(target=self._run, name="awslogs", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Queue one line, with the time of now."""
        if line:  # CloudWatch refuses empty messages
            message = line.encode()[:_LINE_BYTES].decode(errors="ignore")
            with self._order:  # a batch whose times do not ascend is refused whole
                self._lines.put({"timestamp": int(time.time() * 1000), "message": message})

    def close(self) -> None:
        """Send what is queued, and end."""
        self._lines.put(None)
        self._thread.join(_TIMEOUT_S * 3)

    def _run(self) -> None:
        made = ending = False
        while not ending:
            batch, ending = self._batch()
            if not batch:
                continue
            try:
                if not made:
                    self._call("CreateLogStream", self._target)
                    made = True
                self._call("PutLogEvents", {**self._target, "logEvents": batch})
            except OSError as error:
                self.problems.append(f"awslogs: {len(batch)} lines dropped: {error}")

    def _batch(self) -> tuple[list[dict[str, object]], bool]:
        first = self._lines.get()
        if first is None:
            return [], True
        batch, deadline = [first], time.monotonic() + _BATCH_S
        while len(batch) < _BATCH_LINES:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                break
            if line is None:
                return batch, True
            batch.append(line)
        return batch, False

    def _call(self, operation: str, body: Mapping[str, object]) -> None:
        scope = f"local/20250101/{self._region}/logs/aws4_request"
        request = urllib.request.Request(  # noqa: S310 (the endpoint is ours)
            self._endpoint,
            json.dumps(body).encode(),
            {
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": f"Logs_20140328.{operation}",
                "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, "
                "SignedHeaders=host;x-amz-target, Signature=0",
            },
        )
        try:
            urllib.request.urlopen(request, timeout=_TIMEOUT_S).close()  # noqa: S310 (as above)
        except urllib.error.HTTPError as error:
            answer = error.read().decode(errors="replace")
            if "ResourceAlreadyExistsException" not in answer:
                raise OSError(f"{operation}: HTTP {error.code} {answer[:300]}") from error
