"""The state machine of a standard queue: pure, every call takes the present time.

Nothing here looks at all messages: ready ones wait in a deque, hidden ones (delayed or in
flight) in a heap by the time at which they show again, and a heap by send time serves retention.
Entries of messages that have gone or were hidden anew stay behind and are skipped when met.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

from local.services.sqs.message import Message, State, message_id_of

#: Of one receive, extensions included.
#: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
VISIBILITY_CEILING_S = 12 * 3600
#: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
IN_FLIGHT_LIMIT = 120_000


class NotInFlightError(Exception):
    """The message of a receipt handle is gone, visible again, or received anew since."""


class BeyondCeilingError(Exception):
    """The visibility asked for would pass VISIBILITY_CEILING_S counted from the receive."""


class UnknownReceiptError(Exception):
    """No queue ever gave this receipt handle."""


@dataclass
class MessageQueue:
    """Messages of one queue. `retention_s` may change at any time; the rest is state."""

    retention_s: float
    sent: int = 0
    received: int = 0
    deleted: int = 0
    expired: int = 0
    _live: dict[str, Message] = field(default_factory=dict)
    _ready: deque[Message] = field(default_factory=deque)
    _hidden: list[tuple[float, int, int, Message]] = field(default_factory=list)
    _by_age: list[tuple[float, int, Message]] = field(default_factory=list)
    _counts: dict[State, int] = field(default_factory=lambda: dict.fromkeys(State, 0))
    _order: Iterator[int] = field(default_factory=count)

    def send(self, message: Message, now: float, delay_s: float = 0) -> None:
        """Add a message, hidden for `delay_s`."""
        self.sent += 1
        self._live[message.id] = message
        self._counts[message.state] += 1
        heapq.heappush(self._by_age, (message.sent_at, next(self._order), message))
        if delay_s > 0:
            self._hide(message, State.DELAYED, now + delay_s)
        else:
            self._show(message)

    def receive(
        self,
        now: float,
        *,
        visibility_s: float,
        limit: int = 1,
        max_receives: int | None = None,
        bury: Callable[[Message], None] | None = None,
    ) -> list[tuple[Message, str]]:
        """Take up to `limit` messages, each with its receipt handle, hidden for `visibility_s`.

        A message received `max_receives` times already goes to `bury` instead, out of the queue.
        """
        self.advance(now)
        taken: list[tuple[Message, str]] = []
        again: list[Message] = []
        room = min(limit, IN_FLIGHT_LIMIT - self._counts[State.IN_FLIGHT])
        while self._ready and len(taken) < room:
            message = self._ready.popleft()
            if message.state is not State.READY:
                continue
            if bury is not None and max_receives is not None and message.receives >= max_receives:
                self._forget(message)
                bury(message)
                continue
            taken.append((message, message.take(now)))
            self.received += 1
            if visibility_s > 0:
                self._hide(message, State.IN_FLIGHT, now + visibility_s)
            else:
                again.append(message)
        self._ready.extend(again)
        return taken

    def delete(self, receipt: str, now: float) -> None:
        """Delete the message received with this handle; gone or received anew since: no effect.

        Raises: UnknownReceiptError.
        """
        self.advance(now)
        message = self._find(receipt)
        if message is not None and message.receipt == receipt:
            self._forget(message)
            self.deleted += 1

    def change_visibility(self, receipt: str, visibility_s: float, now: float) -> None:
        """Show the message `visibility_s` from now, at once for 0.

        Raises: UnknownReceiptError, NotInFlightError, BeyondCeilingError.
        """
        self.advance(now)
        message = self._find(receipt)
        if message is None or message.state is not State.IN_FLIGHT or message.receipt != receipt:
            raise NotInFlightError
        if now + visibility_s > message.received_at + VISIBILITY_CEILING_S:
            raise BeyondCeilingError
        if visibility_s > 0:
            self._hide(message, State.IN_FLIGHT, now + visibility_s)
        else:
            self._show(message)

    def take_out(self, now: float) -> Message | None:
        """Remove and return one visible message as if never received, for a move task."""
        self.advance(now)
        while self._ready:
            message = self._ready.popleft()
            if message.state is State.READY:
                self._forget(message)
                return message
        return None

    def purge(self) -> None:
        """Delete every message, hidden ones too."""
        self.deleted += len(self._live)
        for message in self._live.values():
            message.state = State.GONE
        for store in (self._live, self._ready, self._hidden, self._by_age):
            store.clear()
        self._counts = dict.fromkeys(State, 0)

    def advance(self, now: float) -> None:
        """Show what is due and drop what is past its retention."""
        while self._hidden and self._hidden[0][0] <= now:
            _, _, version, message = heapq.heappop(self._hidden)
            if message.version == version:
                self._show(message)
        while (oldest := self._oldest()) is not None and oldest.sent_at + self.retention_s <= now:
            self._forget(oldest)
            self.expired += 1

    def next_change(self) -> float | None:
        """Return when the next hidden message may show, None when none is hidden."""
        return self._hidden[0][0] if self._hidden else None

    def count(self, state: State) -> int:
        """Return how many messages are in a state; call `advance` first."""
        return self._counts[state]

    def oldest_age_s(self, now: float) -> float:
        """Return the age of the oldest message, 0 when empty."""
        self.advance(now)
        oldest = self._oldest()
        return 0.0 if oldest is None else now - oldest.sent_at

    def _oldest(self) -> Message | None:
        while self._by_age and self._by_age[0][2].state is State.GONE:
            heapq.heappop(self._by_age)
        return self._by_age[0][2] if self._by_age else None

    def _find(self, receipt: str) -> Message | None:
        identifier = message_id_of(receipt)
        if identifier is None:
            raise UnknownReceiptError
        return self._live.get(identifier)

    def _enter(self, message: Message, state: State) -> None:
        self._counts[message.state] -= 1
        self._counts[state] += 1
        message.state = state
        message.version += 1

    def _hide(self, message: Message, state: State, until: float) -> None:
        self._enter(message, state)
        heapq.heappush(self._hidden, (until, next(self._order), message.version, message))
        if len(self._hidden) > 2 * len(self._live) + 64:
            self._hidden = [entry for entry in self._hidden if entry[2] == entry[3].version]
            heapq.heapify(self._hidden)

    def _show(self, message: Message) -> None:
        self._enter(message, State.READY)
        self._ready.append(message)

    def _forget(self, message: Message) -> None:
        self._enter(message, State.GONE)
        self._counts[State.GONE] = 0
        del self._live[message.id]
        if len(self._by_age) > 2 * len(self._live) + 64:
            self._by_age = [e for e in self._by_age if e[2].state is not State.GONE]
            heapq.heapify(self._by_age)
