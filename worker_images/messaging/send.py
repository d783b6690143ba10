"""Sends one text: nothing is handed over twice, and nothing is lost while a provider is down."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NoReturn

from config.contracts import phone_numbers
from config.contracts.carrier_text import Unsendable, fill
from config.contracts.text_messages import MessageMode, TextJob
from worker_images.base.errors import Ambiguous, HandedBack
from worker_images.base.logging import bound, logger
from worker_images.base.work import Context, Result
from worker_images.messaging.alert import Watch
from worker_images.messaging.circuit import CircuitOpen, Passage
from worker_images.messaging.pace import Pace
from worker_images.messaging.provider import NotSent, Outgoing, Provider, Refused, Sent, Throttled

_log = logger("texts")
#: Until a text is tried again that the provider had no room for, or that the database could not
#: be asked about.
SOON_S = 10.0
_DOUBT = (
    "발송 여부를 확인할 수 없습니다. 두 번 발송되지 않도록 다시 보내지 않습니다. "
    "업체 발송 내역을 확인해 주세요."
)
_NO_TEMPLATE = "알림톡 템플릿이 지정되지 않았습니다."
_NO_CHANNEL = "알림톡 발신 채널이 설정되지 않았습니다. 관리자에게 문의해 주세요."


@dataclass(frozen=True)
class SendText:
    """The handler of texts, whose row is SENDING from before it starts until it has ended.

    `alimtalk` says whether a Kakao channel is configured. `jitter` returns a number from 0 to 1.
    """

    provider: Provider
    watch: Watch
    pace: Pace
    alimtalk: bool
    jitter: Callable[[], float] = random.random

    def __call__(self, job: TextJob, context: Context) -> Result:
        """Send a text.

        Raises: HandedBack while the provider cannot be handed it; Refused; Ambiguous when nobody
        can say whether it went out.
        """
        with bound(to=phone_numbers.masked(job.to), mode=str(job.message_mode)):
            text = self._outgoing(job)
            passage = self._enter()
            self.pace.wait(context.cancellation)
            context.cancellation.check()
            sent = self._hand_over(text, passage, with_sms=job.message_mode is MessageMode.BOTH)
            _log.info("text sent", channel=sent.channel, reference=sent.reference)
        return Result(
            {
                "channel": sent.channel,
                "provider": self.provider.name,
                "provider_reference": sent.reference,
            }
        )

    def _outgoing(self, job: TextJob) -> Outgoing:
        """Return what to hand over. Raises: Refused for what no provider could deliver."""
        as_alimtalk = job.message_mode is not MessageMode.SMS
        if job.message_mode is MessageMode.ALIMTALK and not (job.template_id and self.alimtalk):
            raise Refused("NO_TEMPLATE", _NO_CHANNEL if job.template_id else _NO_TEMPLATE)
        try:
            text = Outgoing(
                text_id=job.job_id,
                to=phone_numbers.recipient(job.to),
                sender=phone_numbers.sender(job.sender),
                text=fill(job.text, job.alimtalk_replacements),
                template_id=job.template_id if as_alimtalk and self.alimtalk else "",
                replacements=job.alimtalk_replacements,
                failover=job.message_mode is MessageMode.BOTH,
            )
            text.check()
        except (Unsendable, phone_numbers.NotANumber) as error:
            raise Refused("BAD_TEXT", phone_numbers.mask_all(str(error))) from error
        return text

    def _enter(self) -> Passage:
        """Return how the text may be handed over. Raises: HandedBack when it may not."""
        try:
            passage = self.watch.circuit.enter()
        except CircuitOpen as error:
            self._wait("PROVIDER_DOWN", str(error), error.seconds)
        except Exception as error:
            self._wait("NO_DATABASE", repr(error), SOON_S)
        if passage is not Passage.FREE:
            try:
                self.provider.ask()
            except NotSent as error:
                self._failed(passage, error)
        return passage

    def _hand_over(self, text: Outgoing, passage: Passage, *, with_sms: bool) -> Sent:
        """Hand the text over. An Alimtalk that was certainly refused goes as SMS in mode both."""
        try:
            sent = self.provider.send(text)
        except Throttled as error:
            self._wait("THROTTLED", error.message, SOON_S)
        except NotSent as error:
            self._failed(passage, error)
        except Refused as error:
            if with_sms and text.template_id:
                _log.warning("alimtalk refused, sent as SMS", code=error.code)
                sms = replace(text, template_id="", failover=False)
                return self._hand_over(sms, passage, with_sms=False)
            self.watch.answered(passage)
            raise Refused(error.code, phone_numbers.mask_all(error.message)) from error
        except Exception as error:
            self._doubt(passage, error)
        self.watch.answered(passage)
        return sent

    def _failed(self, passage: Passage, error: NotSent) -> NoReturn:
        reason = phone_numbers.mask_all(error.message)
        open_s = self.watch.failed(passage, f"{error.code}: {reason}")
        self._wait(error.code, reason, open_s or SOON_S)

    def _doubt(self, passage: Passage, error: Exception) -> NoReturn:
        """Once a request is under way, whatever is no clear answer is a doubt."""
        reason = phone_numbers.mask_all(str(error))
        self.watch.failed(passage, reason)
        _log.error("no clear answer: never sent again", reason=reason)
        code = error.code if isinstance(error, Ambiguous) else type(error).__name__
        raise Ambiguous(code, _DOUBT) from error

    def _wait(self, code: str, reason: str, seconds: float) -> NoReturn:
        """The text waits, a little longer than it must, so that texts return apart."""
        raise HandedBack(code, reason, delay_s=seconds * (1 + self.jitter() / 4))
