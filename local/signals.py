"""Signals that instances send to the CloudFormation resource that made them (SignalResource)."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import TypeAdapter

from local.clock import Clock

#: Real seconds between two looks at the clock while nothing comes.
_LOOK_S = 0.2
_DURATION = TypeAdapter(timedelta)


class SignalError(Exception):
    """Too few signals, or failures among them; in the words of CloudFormation."""


@dataclass
class Mailbox:
    """The signals to one resource: the last status of each sender, until a wait has taken them."""

    clock: Clock
    _received: dict[str, str] = field(default_factory=dict)
    _moved: threading.Condition = field(default_factory=threading.Condition)

    def put(self, sender: str, status: str) -> None:
        """Receive `SUCCESS` or `FAILURE` of a sender."""
        with self._moved:
            self._received[sender] = status
            self._moved.notify_all()

    def wait(self, count: int, *, within_s: float, percent: int = 100) -> None:
        """Take `count` signals, of which at least `percent` say SUCCESS.

        Raises: SignalError as soon as that cannot be any more, or after `within_s`.
        """
        deadline = self.clock.now() + within_s
        with self._moved:
            while True:
                failures = list(self._received.values()).count("FAILURE")
                if (count - failures) * 100 < count * percent:
                    raise SignalError(
                        f"Received {failures} FAILURE signal(s) out of {count}. Unable to satisfy "
                        f"{percent}% MinSuccessfulInstancesPercent requirement"
                    )
                if len(self._received) >= count:
                    self._received.clear()
                    return
                if self.clock.now() >= deadline:
                    missing = count - len(self._received)
                    raise SignalError(
                        f"Failed to receive {missing} resource signal(s) within the specified "
                        "duration"
                    )
                self._moved.wait(_LOOK_S)


class Signals:
    """The mailboxes of the resources that wait now. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._open: dict[tuple[str, str], Mailbox] = {}

    @contextmanager
    def expected(self, stack_id: str, logical_id: str) -> Iterator[Mailbox]:
        """Receive signals to a resource while the block runs."""
        box = Mailbox(self._clock)
        with self._lock:
            self._open[stack_id, logical_id] = box
        try:
            yield box
        finally:
            with self._lock:
                del self._open[stack_id, logical_id]

    def deliver(self, stack_id: str, logical_id: str, sender: str, status: str) -> bool:
        """Pass a signal on; False when the resource waits for none."""
        with self._lock:
            box = self._open.get((stack_id, logical_id))
        if box is None:
            return False
        box.put(sender, status)
        return True


def duration_s(text: str) -> float:
    """Return the seconds of a policy's duration, such as `PT10M` or `PT1M30S`.

    Raises: ValueError for what is no duration, or longer than the hour that AWS allows.
    """
    seconds = _DURATION.validate_python(text).total_seconds()
    if not 0 <= seconds <= 3600:
        raise ValueError(f"{text!r} must be between PT0S and PT1H")
    return seconds


def resource_signal(creation_policy: Mapping[str, object]) -> tuple[int, float] | None:
    """Return count and seconds of a CreationPolicy's ResourceSignal; None without one."""
    found = creation_policy.get("ResourceSignal")
    if not isinstance(found, Mapping):
        return None
    return int(found.get("Count", 1)), duration_s(str(found.get("Timeout", "PT5M")))
