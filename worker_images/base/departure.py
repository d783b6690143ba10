"""The leave protocol of one process: told from any thread, its calls made by the loop."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from worker_images.base.leaving import START, Answer, Event, Leave, Phase, answered, told
from worker_images.base.lifecycle import Lifecycle

#: Pauses before a call is made again; the last one stays.
PAUSES_S = (1.0, 2.0, 5.0)


@dataclass
class Departure:
    """Where this worker stands between polling and its end, see worker_images.base.leaving."""

    lifecycle: Lifecycle
    _leave: Leave = START
    _tries: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def leave(self) -> Leave:
        """Where the worker stands now."""
        return self._leave

    @property
    def polling(self) -> bool:
        """Whether a message may be taken now."""
        return self._leave.phase is Phase.POLLING

    def tell(self, event: Event) -> None:
        """Something happened."""
        with self._changed:
            self._become(told(self._leave, event))

    def call(self) -> None:
        """Make the call of the present phase; wait a little where it has to be made again.

        And after one without an answer, whatever comes next: it may still be on its way.
        """
        leave = self._leave
        answer = self.lifecycle.call(leave)
        with self._changed:
            self._become(answered(self._leave, leave.phase, answer))
            settled = self._leave != leave and answer is not Answer.UNKNOWN
            self._tries = 0 if settled else self._tries + 1
        if not settled:
            self.pause(PAUSES_S[min(self._tries, len(PAUSES_S)) - 1])

    def look(self) -> None:
        """Ask, not too often, whether the group has gone on without this instance."""
        if self.lifecycle.outdated():
            self.tell(Event.OUTDATED)

    def pause(self, seconds: float) -> None:
        """Wait for `seconds`, or until the worker stands elsewhere."""
        with self._changed:
            before = self._leave
            self._changed.wait_for(lambda: self._leave != before, seconds)

    def _become(self, leave: Leave) -> None:
        self._leave = leave
        self._changed.notify_all()
