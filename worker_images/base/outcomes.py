"""What becomes of a claimed job, by how its handler ended: one transition each."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from worker_images.base.errors import (
    Ambiguous,
    BadInput,
    HandedBack,
    Hung,
    LostClaim,
    Permanent,
    Retryable,
    WorkerError,
)
from worker_images.base.job_kinds import Ending
from worker_images.base.logging import logger
from worker_images.base.retry import backoff_s
from worker_images.base.status import Status
from worker_images.base.work import Claim, Delivery, Disposition, Result

_log = logger("outcomes")
#: Pauses between tries of a last transition: a quarter of an hour, since hours of work may hang
#: on it. The heartbeat keeps the message meanwhile.
WRITE_RETRY_S = (1.0, 5.0, 10.0, 20.0, *[30.0] * 29)
GAVE_UP_MESSAGE = "여러 번 시도했지만 작업을 처리하지 못했습니다. 관리자에게 문의해 주세요."
INTERNAL_MESSAGE = "처리 중 오류가 발생하여 다시 시도합니다."
DOUBTFUL_MESSAGE = (
    "처리 중 오류가 발생하여 완료 여부를 확인할 수 없습니다. 관리자에게 문의해 주세요."
)


@dataclass(frozen=True)
class Outcomes:
    """The innermost step of a job: runs `handle` and turns its end into a transition.

    A job that used up its attempts is ended before any work is done: the earlier ones killed
    their workers without a word. With `once` (texts) nothing that may have happened is repeated:
    a defect in the handler, or one that no longer listens, makes the job AMBIGUOUS.
    """

    status: Status
    handle: Callable[[Delivery], Result]
    attempts: int
    once: bool = False
    jitter: Callable[[], float] = random.random
    sleep: Callable[[float], None] = time.sleep

    def __call__(self, delivery: Delivery) -> Disposition:
        claim = delivery.claim
        if claim is None:
            raise ValueError("a job's work needs its claim")
        if claim.attempts_used > self.attempts:
            return self._gave_up(claim, "WORKER_LOST", "earlier attempts ended without a word")
        delivery.abandon = lambda: self._ended(claim, _abandoned(delivery, once=self.once))
        try:
            result = self.handle(delivery)
        except Exception as error:
            return self._ended(claim, error)
        if not self._write(self.status.finish, claim, result):
            return self._lost()
        _log.info("job succeeded", needs_review=result.needs_review)
        return Disposition("SUCCEEDED", delete=True)

    def _ended(self, claim: Claim, error: Exception) -> Disposition:
        """Turn what the handler raised into a transition; a defect must not end the worker."""
        if isinstance(error, HandedBack):
            return self._hand_back(claim, error)
        if isinstance(error, LostClaim):
            return self._lost()
        if isinstance(error, Permanent):
            return self._failed(claim, error)
        if isinstance(error, Retryable):
            return self._retry(claim, error.code, error.message)
        _log.error("job raised", exc_info=True, error=repr(error))
        code = type(error).__name__
        if self.once:
            return self._failed(claim, Ambiguous(code, DOUBTFUL_MESSAGE))
        return self._retry(claim, code, INTERNAL_MESSAGE)

    def _failed(self, claim: Claim, error: Permanent) -> Disposition:
        ending = Ending.FAILED
        if isinstance(error, BadInput):
            ending = Ending.REJECTED
        elif isinstance(error, Ambiguous):
            ending = Ending.AMBIGUOUS
        _log.warning("job ended", ending=ending, code=error.code, reason=error.message)
        return self._end(claim, ending, error.code, error.message, "FAILED")

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
        return self._end(claim, Ending.DEAD, code, GAVE_UP_MESSAGE, "DEAD")

    def _end(
        self, claim: Claim, ending: Ending, code: str, message: str, outcome: str
    ) -> Disposition:
        done = self._write(self.status.end, claim, ending, code, message)
        return Disposition(outcome, delete=True) if done else self._lost()

    def _hand_back(self, claim: Claim, reason: HandedBack) -> Disposition:
        if not self._write(self.status.release, claim):
            return self._lost()
        _log.info("job handed back", code=reason.code, reason=reason.message)
        return Disposition("HANDED_BACK", visible_in_s=reason.delay_s)

    def _write(self, transition: Callable[..., bool], claim: Claim, *values: object) -> bool:
        """Make a last transition; hours of work must not go with a database that is away."""
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


def _abandoned(delivery: Delivery, *, once: bool) -> WorkerError:
    """Return what a handler that no longer listens counts as."""
    if once:
        return Ambiguous("STUCK", DOUBTFUL_MESSAGE)
    try:
        delivery.cancellation.check()
    except WorkerError as reason:
        return reason
    return Hung("STUCK", INTERNAL_MESSAGE)
