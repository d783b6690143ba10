"""What a handler is given and gives back, and what becomes of a message afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from worker_images.base.cancellation import Cancellation
from worker_images.base.queue import Message

#: `(percent from 0 to 100, step, seconds left or None)`. Its changes are the proof of progress
#: that the hang limit asks for.
Report = Callable[[float, str, float | None], None]


@dataclass(frozen=True)
class Claim:
    """A job that this worker may run until its lease ends.

    `token` goes into every later call; `attempts_used` counts this attempt but no hand-backs;
    `waited_s` is the time since the job was created, or since it was last put back.
    """

    job_id: str
    tenant_id: int
    token: int
    attempts_used: int
    waited_s: float


@dataclass(frozen=True)
class Result:
    """What a finished job produced: JSON values, and whether a person has to look at them.

    Where they go is said in worker_images.base.job_kinds.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    needs_review: bool = False


@dataclass(frozen=True)
class Context:
    """A handler's view of the run: it polls `cancellation` and reports its progress.

    `transactions` is what `transaction` opens, see there.
    """

    cancellation: Cancellation
    report: Report
    claim: Claim
    transactions: Callable[[], AbstractContextManager[Any]]

    def transaction(self) -> AbstractContextManager[Any]:
        """Yield a cursor in a transaction that holds the job's row: for effects in the database.

        It commits when the block ends, with the lease renewed, and rolls back when it raises.
        Nobody else can claim the job meanwhile. Raises: LostClaim when somebody has.
        """
        return self.transactions()


#: `(job, context) -> Result`; the job is what the queue's decoder returned.
Handler = Callable[[Any, Context], Result]


@dataclass(eq=False)
class Delivery:
    """A message in this worker's hands. Times are monotonic.

    The runner fills in what it learns: `work` once it is decoded, `started_at` while a handler
    runs, `renew_lease` (False when the lease is lost) and `abandon` (what becomes of a handler
    that no longer listens) while it holds a claim.
    """

    message: Message
    received_at: float
    work: Any = None
    cancellation: Cancellation = field(default_factory=Cancellation)
    started_at: float | None = None
    progressed_at: float = 0.0
    claim: Claim | None = None
    renew_lease: Callable[[], bool] | None = None
    abandon: Callable[[], Disposition] | None = None

    def begin(self, now: float) -> None:
        """A handler starts: the limits count from here."""
        self.started_at = self.progressed_at = now

    def finish(self) -> None:
        """The handler ended: no limit counts any more, the lease is renewed until all is noted."""
        self.started_at = None


@dataclass(frozen=True)
class Disposition:
    """What the consumer does with the message, last of all.

    `delete` removes it; otherwise `visible_in_s` says when it comes back, and None leaves it as
    it is (another worker's receipt is the valid one).
    """

    outcome: str
    delete: bool = False
    visible_in_s: float | None = None


#: Does the work of one kind of message to its end; it never raises on the work's account.
Runner = Callable[[Delivery], Disposition]
