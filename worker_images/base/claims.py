"""Idempotency: one worker at a time holds a job, and a finished one is not done again."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from worker_images.base.logging import bound, logger
from worker_images.base.retry import backoff_s
from worker_images.base.status import Status
from worker_images.base.work import Delivery, Disposition, Runner

_log = logger("claims")
#: Longest delay of a duplicate whose job runs elsewhere.
BUSY_LIMIT_S = 3600.0
#: Longest delay of a message that met no database; the gate takes none before there is one.
AWAY_LIMIT_S = 30.0


@dataclass(frozen=True)
class Claimed:
    """Runs what is inside with a claim on the job, whose lease the heartbeat then renews.

    `away` is told when the database did not answer: no message is to be taken before it does.
    """

    status: Status
    worker_id: str
    lease_s: float
    away: Callable[[], None] = lambda: None
    jitter: Callable[[], float] = random.random

    def __call__(self, delivery: Delivery, inner: Runner) -> Disposition:
        job_id = delivery.work.job_id
        try:
            claim = self.status.claim(job_id, self.worker_id, self.lease_s)
            if claim is None:
                return self._unclaimed(delivery)
        except Exception as error:
            self.away()
            receives = delivery.message.receive_count
            delay_s = min(AWAY_LIMIT_S, backoff_s(receives, self.jitter()))
            _log.warning("not claimed", error=repr(error), delay_s=round(delay_s))
            return Disposition("DATABASE_AWAY", visible_in_s=delay_s)
        delivery.claim = claim
        delivery.renew_lease = lambda: self.status.heartbeat(job_id, claim.token, self.lease_s)
        with bound(attempt=claim.attempts_used):
            _log.info("job started", waited_s=round(claim.waited_s, 1))
            return inner(delivery)

    def _unclaimed(self, delivery: Delivery) -> Disposition:
        """A duplicate of a finished job goes; one of a job that runs elsewhere returns later.

        Each return of a duplicate doubles its delay. But while nobody renews the lease, the message
        may be the job's own, back from a worker that was killed: it returns when the lease ends. A
        text whose sender vanished is given up here: nobody can say whether it went out.
        """
        job_id = delivery.work.job_id
        if self.status.requeue_expired(job_id, 0):
            _log.warning("the worker that held the job vanished")
        facts = self.status.facts(job_id)
        if facts is None:
            _log.error("no such job: left for the dead-letter queue")
            return Disposition("UNKNOWN", visible_in_s=0)
        if not facts.open:
            _log.info("job ended already: duplicate deleted", state=facts.state)
            return Disposition("DUPLICATE", delete=True)
        delay_s = max(1.0, facts.lease_left_s)
        if facts.lease_left_s > self.lease_s / 2:
            delay_s = min(BUSY_LIMIT_S, delay_s * 2 ** (delivery.message.receive_count - 1))
        _log.info("job runs elsewhere: message returns later", delay_s=round(delay_s))
        return Disposition("BUSY", visible_in_s=delay_s)
