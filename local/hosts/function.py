"""Lambda functions, executed: the deployed zip's handler in a process of its own.

One process an invocation, with the function's environment, Lambda's own variables and role
credentials. Python runtimes only: this machine's Python runs them.
"""

from __future__ import annotations

import base64
import io
import json
import shutil
import sys
import threading
import time
import uuid
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.utils import get_backend

from local.clients import ACCOUNT, REGION
from local.hosts import Invocation, function_runtime
from local.hosts.function_environment import log_group, variables
from local.hosts.function_log import FunctionLog
from local.hosts.imds import ClientSource
from local.protocol import ServiceError
from local.supervisor import Child, Supervisor

_POLL_S = 0.02


class LambdaFunctions:
    """Runs functions below `<state>/functions`; implements Functions. Thread-safe."""

    def __init__(
        self, state_dir: Path, supervisor: Supervisor, clients: ClientSource, *, endpoint: str
    ) -> None:
        self._root = state_dir / "functions"
        self._supervisor = supervisor
        self._clients = clients
        self._endpoint = endpoint
        self._running: Counter[str] = Counter()
        self._lock = threading.Lock()

    def invoke(self, name_or_arn: str, event: Mapping[str, Any] | Any) -> Invocation:
        """Run the function and wait for its answer.

        Raises: ServiceError when there is no such function, it is throttled by its reserved
        concurrency, or its runtime is not Python.
        """
        function = self.find(name_or_arn)
        with self._slot(function):
            return self._invoke(function, event)

    def find(self, name_or_arn: str) -> Any:
        """Return moto's record of a function.

        Raises: ServiceError when there is none, or when it cannot run here.
        """
        try:
            function = get_backend(ACCOUNT, REGION).get_function(name_or_arn)
        except UnknownFunctionException as error:
            message = f"Function not found: {name_or_arn}"
            raise ServiceError("ResourceNotFoundException", message, 404) from error
        if not str(function.run_time).startswith("python"):
            raise ServiceError(
                "InvalidRuntimeException",
                f"{function.function_name}: runtime {function.run_time} does not run here; "
                "allowed: python*",
                502,
            )
        return function

    @contextmanager
    def _slot(self, function: Any) -> Iterator[None]:
        """Hold one of the function's reserved executions."""
        name, limit = function.function_name, function.reserved_concurrency
        with self._lock:
            if limit is not None and self._running[name] >= int(limit):
                raise ServiceError("TooManyRequestsException", "Rate Exceeded.", 429)
            self._running[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[name] -= 1

    def _invoke(self, function: Any, event: Any) -> Invocation:
        request_id = str(uuid.uuid4())
        place = self._root / "invocations" / request_id
        place.mkdir(parents=True)
        now = datetime.now(UTC)
        stream = f"{now:%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}"
        log = FunctionLog(self._clients, log_group(function), stream, place / "log.txt")
        timeout_s = int(function.timeout or 3)
        facts = {"event": event, "request_id": request_id, "arn": function.function_arn}
        facts["deadline"] = time.time() + timeout_s
        (place / "event.json").write_text(json.dumps(facts))
        log.line(f"START RequestId: {request_id} Version: $LATEST")
        began = time.monotonic()
        try:
            child = self._start(function, stream, place)
            in_time = _await(child, began + timeout_s, log)
            self._supervisor.stop(child, 0)
            payload, error = _outcome(place, child, request_id, None if in_time else timeout_s)
        finally:
            spent_ms = (time.monotonic() - began) * 1000
            log.copy(ended=True)
            self._close(log, request_id, spent_ms, function)
            shutil.rmtree(place, ignore_errors=True)
        return Invocation(payload, error, log.text)

    @staticmethod
    def _close(log: FunctionLog, request_id: str, spent_ms: float, function: Any) -> None:
        log.line(f"END RequestId: {request_id}")
        log.line(
            f"REPORT RequestId: {request_id}\tDuration: {spent_ms:.2f} ms\t"
            f"Billed Duration: {int(spent_ms) + 1} ms\tMemory Size: {function.memory_size} MB"
        )
        log.send()

    def _start(self, function: Any, stream: str, place: Path) -> Child:
        code = self._code(function)
        (place / "tmp").mkdir()
        runtime = [sys.executable, "-I", "-B", "-u", function_runtime.__file__]
        return self._supervisor.spawn(
            f"function {function.function_name}",
            [*runtime, str(place / "event.json"), str(place / "answer.json")],
            env=variables(
                function, stream, code=code, temporary=place / "tmp", endpoint=self._endpoint
            ),
            cwd=code,
            log_path=place / "log.txt",
        )

    def _code(self, function: Any) -> Path:
        """Return the unpacked zip; unpacked once for the same bytes."""
        digest = base64.b64decode(function.code_sha_256).hex()
        directory = self._root / "code" / digest
        with self._lock:
            if not directory.exists():
                aside = directory.with_suffix(".part")
                shutil.rmtree(aside, ignore_errors=True)
                with zipfile.ZipFile(io.BytesIO(function.code_bytes)) as archive:
                    archive.extractall(aside)
                aside.rename(directory)
        return directory


def _await(child: Child, deadline: float, log: FunctionLog) -> bool:
    """Wait for the process while its log is sent; False when its time was up."""
    sent = time.monotonic()
    while child.running():
        now = time.monotonic()
        if now > deadline:
            return False
        if now - sent > 1:
            log.copy()
            log.send()
            sent = now
        time.sleep(_POLL_S)
    return True


def _outcome(
    place: Path, child: Child, request_id: str, timeout_s: int | None
) -> tuple[Any, str | None]:
    """Return the payload and the kind of error, in the words of Lambda."""
    if timeout_s is not None:
        message = f"Task timed out after {timeout_s:.2f} seconds"
        with (place / "log.txt").open("a") as log:
            log.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ} {request_id} {message}\n")
        message = f"RequestId: {request_id} Error: {message}"
        return {"errorType": "Sandbox.Timedout", "errorMessage": message}, "Unhandled"
    if not (place / "answer.json").exists():
        status = child.process.returncode
        ended = f"signal: {-status}" if status < 0 else f"exit status {status}"
        message = f"RequestId: {request_id} Error: Runtime exited with error: {ended}"
        return {"errorType": "Runtime.ExitError", "errorMessage": message}, "Unhandled"
    found = json.loads((place / "answer.json").read_text())
    return found["answer"], "Unhandled" if found["failed"] else None
