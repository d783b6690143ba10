"""One switch that stops a running job, whoever throws it."""

from __future__ import annotations

import threading

from worker_images.base.errors import WorkerError


class Cancellation:
    """Set once, from any thread; the handler polls it or waits on it. The first reason stays."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._reason: WorkerError | None = None

    def cancel(self, reason: WorkerError) -> None:
        """Ask the handler to stop; `reason` is what `check` raises there."""
        with self._lock:
            self._reason = self._reason or reason
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked the handler to stop."""
        return self._event.is_set()

    def wait(self, timeout_s: float) -> bool:
        """Block for at most `timeout_s` seconds; return whether the job is cancelled."""
        return self._event.wait(timeout_s)

    def check(self) -> None:
        """Raise the reason for which the job is cancelled, if it is."""
        if self._event.is_set() and self._reason is not None:
            raise self._reason
