"""Runs one job: claims it, keeps it alive, and turns how it ended into one transition."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from worker_images.base.clock import Clock
from worker_images.base.errors import HandedBack, LostClaim, Permanent, Retryable
from worker_images.base.heartbeat import Heartbeat
from worker_images.base.logging import bound, logger
from worker_images.base.metrics import EmbeddedMetrics, JobMetrics
from worker_images.base.retry import backoff_s
from worker_images.base.status import Claim, Status
from worker_images.base.work import Context, Delivery, Disposition, Result

_log = logger("runner")
#: Longest delay of a duplicate whose job runs elsewhere.
BUSY_LIMIT_S = 3600.0
REPORT_EVERY_S = 1.0
WRITE_RETRY_S = (1.0, 5.0, 20.0)
GAVE_UP_MESSAGE = "여러 번 시도했지만 영상을 처리하지 못했습니다. 관리자에게 문의해 주세요."
INTERNAL_MESSAGE = "처리 중 오류가 발생하여 다시 시도합니다."

Handler = Callable[..., Result]


@dataclass(frozen=True)
class JobRunner:
    """The `Runner` of messages that stand for a job row; `work.job_id` names the row."""

    status: Status
    handler: Handler
    heartbeat: Heartbeat
    clock: Clock
    metrics: EmbeddedMetrics
    worker_id: str
    attempts: int
    lease_s: float
    jitter: Callable[[], float] = random.random
    sleep: Callable[[float], None] = time.sleep

    def __call__(self, delivery: Delivery) -> Disposition:
        job_id = delivery.work.job_id
        with bound(job_id=job_id):
            claim = self.status.claim(job_id, self.worker_id, self.lease_s)
            if claim is None:
                return self._unclaimed(delivery)
            with bound(attempt=claim.attempts_used, video_id=claim.video_id):
                started_at = self.clock.now()
                _log.info("job started", waited_s=round(claim.waited_s, 1))
                disposition = self._run(delivery, claim)
                self._publish(delivery, claim, disposition, started_at)
                return disposition

    def _unclaimed(self, delivery: Delivery) -> Disposition:
        """A duplicate of a finished job goes; one of a job that runs elsewhere returns later.

        Each return of a duplicate doubles its delay, or a long job's duplicate would reach the
        dead-letter queue while the job runs.
        """
        facts = self.status.facts(delivery.work.job_id)
        if facts is None:
            _log.error("no such job: left for the dead-letter queue")
            return Disposition("UNKNOWN", visible_in_s=0)
        if not facts.open:
            _log.info("job ended already: duplicate deleted", state=facts.state)
            return Disposition("DUPLICATE", delete=True)
        doubled = max(1.0, facts.lease_left_s) * 2 ** (delivery.message.receive_count - 1)
        delay_s = min(BUSY_LIMIT_S, doubled)
        _log.info("job runs elsewhere: message returns later", delay_s=round(delay_s))
        return Disposition("BUSY", visible_in_s=delay_s)

    def _run(self, delivery: Delivery, claim: Claim) -> Disposition:
        if claim.attempts_used > self.attempts:
            return self._gave_up(claim, "WORKER_LOST", "earlier attempts ended without a word")

        def renew() -> bool:
            return self.status.heartbeat(claim.job_id, claim.token, self.lease_s)

        try:
            with self.heartbeat.around(delivery, renew):
                context = Context(delivery.cancellation, self._reporter(delivery, claim))
                result = self.handler(delivery.work, context)
        except Exception as error:
            return self._ended(claim, error)
        if not self._write(self.status.succeed, claim, result.duration_s):
            return self._lost()
        _log.info("job succeeded", duration_s=result.duration_s)
        return Disposition("SUCCEEDED", delete=True)

    def _ended(self, claim: Claim, error: Exception) -> Disposition:
        """Turn what the handler raised into a transition; a defect must not end the worker."""
        if isinstance(error, HandedBack):
            return self._hand_back(claim, error)
        if isinstance(error, LostClaim):
            return self._lost()
        if isinstance(error, Permanent):
            _log.warning("job failed for good", code=error.code, reason=error.message)
            done = self._write(self.status.fail, claim, error.code, error.message)
            return Disposition("FAILED", delete=True) if done else self._lost()
        if isinstance(error, Retryable):
            return self._retry(claim, error.code, error.message)
        _log.error("job raised", exc_info=True)
        return self._retry(claim, type(error).__name__, INTERNAL_MESSAGE)

    def _retry(self, claim: Claim, code: str, message: str) -> Disposition:
        if claim.attempts_used >= self.attempts:
            return self._gave_up(claim, code, message)
        if not self._write(self.status.retry_later, claim, code, message):
            return self._lost()
        delay_s = backoff_s(claim.attempts_used, self.jitter())
        _log.warning("job will be retried", code=code, reason=message, delay_s=round(delay_s))
        return Disposition("RETRY_WAIT", visible_in_s=delay_s)

    def _gave_up(self, claim: Claim, code: str, reason: str) -> Disposition:
        _log.error("job is dead: attempts used up", code=code, reason=reason)
        done = self._write(self.status.dead, claim, code, GAVE_UP_MESSAGE)
        return Disposition("DEAD", delete=True) if done else self._lost()

    def _hand_back(self, claim: Claim, reason: HandedBack) -> Disposition:
        if not self._write(self.status.release, claim):
            return self._lost()
        _log.info("job handed back", reason=reason.message)
        return Disposition("HANDED_BACK", visible_in_s=0)

    def _write(self, transition: Callable[..., bool], claim: Claim, *values: object) -> bool:
        """Make a last transition; hours of work must not go with one broken connection."""
        for pause_s in WRITE_RETRY_S:
            try:
                return transition(claim.job_id, claim.token, *values)
            except Exception as error:
                _log.warning("transition failed, repeating", error=repr(error), pause_s=pause_s)
                self.sleep(pause_s)
        return transition(claim.job_id, claim.token, *values)

    @staticmethod
    def _lost() -> Disposition:
        _log.warning("job belongs to another worker now: nothing written")
        return Disposition("LOST")

    def _reporter(self, delivery: Delivery, claim: Claim) -> Callable[..., None]:
        """Return what records progress; a database that is away for a while costs no work."""
        last_at, last_step = float("-inf"), ""

        def report(percent: float, step: str, seconds_left: float | None) -> None:
            nonlocal last_at, last_step
            if step == last_step and self.clock.now() - last_at < REPORT_EVERY_S:
                return
            last_at, last_step = self.clock.now(), step
            try:
                held = self.status.progress(claim.job_id, claim.token, percent, step, seconds_left)
            except Exception as error:
                _log.warning("progress not recorded", error=repr(error))
                return
            if not held:
                delivery.cancellation.cancel(LostClaim("LOST_CLAIM", "progress was refused"))

        return report

    def _publish(
        self, delivery: Delivery, claim: Claim, disposition: Disposition, started_at: float
    ) -> None:
        self.metrics.job_ended(
            JobMetrics(
                outcome=disposition.outcome,
                queue_age_s=max(0.0, delivery.received_at - delivery.message.sent_at),
                time_to_start_s=claim.waited_s,
                duration_s=self.clock.now() - started_at,
            )
        )
