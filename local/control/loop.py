"""One thread that ticks every controller; one that fails is logged and never stops the others."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Protocol

from local.clock import Clock

_log = logging.getLogger(__name__)


class Controller(Protocol):
    """Compares what is with what should be, and takes the next steps."""

    def tick(self, now: float) -> None:
        """Take the steps that are due at `now` (epoch seconds)."""


class Loop:
    """Ticks controllers every `interval_s` real seconds, or by hand through `tick`."""

    def __init__(
        self, clock: Clock, controllers: Sequence[Controller], *, interval_s: float = 0.5
    ) -> None:
        self._clock = clock
        self._controllers = tuple(controllers)
        self._interval_s = interval_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="control-loop", daemon=True)
        self._last_failure: dict[int, str] = {}

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the tick in progress."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def tick(self) -> None:
        """Tick every controller once. A failure that repeats is logged once."""
        now = self._clock.now()
        for number, controller in enumerate(self._controllers):
            try:
                controller.tick(now)
            except Exception as error:
                failure = repr(error)
                if self._last_failure.get(number) != failure:
                    _log.exception("controller %s failed", type(controller).__name__)
                self._last_failure[number] = failure
            else:
                self._last_failure.pop(number, None)

    def _run(self) -> None:
        while not self._stopping.wait(self._interval_s):
            self.tick()
