"""What a handler is given and gives back, and what becomes of a message afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from worker_images.base.cancellation import Cancellation
from worker_images.base.queue import Message

#: `(percent from 0 to 100, step, seconds left or None)`
Report = Callable[[float, str, float | None], None]


@dataclass(frozen=True)
class Context:
    """A handler's view of the run: it polls `cancellation` and reports its progress."""

    cancellation: Cancellation
    report: Report


@dataclass(frozen=True)
class Result:
    """What a finished video job produced."""

    duration_s: float


@dataclass(frozen=True)
class Delivery:
    """A decoded message on its way through a runner."""

    message: Message
    work: Any
    cancellation: Cancellation
    received_at: float


@dataclass(frozen=True)
class Disposition:
    """What the consumer does with the message, last of all.

    `delete` removes it; otherwise `visible_in_s` says when it comes back, and None leaves it as
    it is (another worker's receipt is the valid one).
    """

    outcome: str
    delete: bool = False
    visible_in_s: float | None = None


class Runner(Protocol):
    """Does the work of one kind of message. It never raises on the work's account."""

    def __call__(self, delivery: Delivery) -> Disposition:
        """Run a delivery to its end."""
        ...
