"""The answers that custom resources' functions PUT to their ResponseURL."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

#: Below the embedded AWS's endpoint; the rest of the path is the request's id.
PATH = "/_local/cloudformation-response/"

_answers: dict[str, Mapping[str, Any]] = {}
_arrived = threading.Condition()


def deliver(request_id: str, answer: Mapping[str, Any]) -> None:
    """Take an answer; the server calls it for every PUT below PATH. A repeated one changes it."""
    with _arrived:
        _answers[request_id] = answer
        _arrived.notify_all()


def wait(request_id: str, timeout_s: float) -> Mapping[str, Any] | None:
    """Return the request's answer and forget it, or None when none came in time."""
    with _arrived:
        _arrived.wait_for(lambda: request_id in _answers, timeout=timeout_s)
        return _answers.pop(request_id, None)
