"""Something that happens later, in one event."""

from __future__ import annotations

from collections.abc import Callable

from simpy import Environment, Event
from simpy.events import Timeout


def after(env: Environment, seconds: float, happen: Callable[[], None]) -> None:
    """Call `happen` in so many seconds."""

    def told(_: Event) -> None:
        happen()

    Timeout(env, seconds).callbacks.append(told)
