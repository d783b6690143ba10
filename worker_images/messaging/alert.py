"""Telling the administrators that a provider is down, and that it is back: once each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from worker_images.base.logging import logger
from worker_images.messaging.circuit import Circuit, Passage

_log = logger("alert")
_DOWN = (
    "문자 발송 업체 {provider} 에 문자를 보낼 수 없습니다({environment}).\n"
    "이유: {reason}\n\n"
    "보내지 못한 문자는 대기열에 보관되며, 업체가 복구되면 자동으로 발송됩니다. "
    "잔액, 인증키, 발신 IP 등록, 업체 공지를 확인해 주세요."
)
_UP = (
    "문자 발송 업체 {provider} 가 복구되었습니다({environment}).\n"
    "대기 중이던 문자의 발송을 다시 시작합니다."
)


@dataclass(frozen=True)
class Watch:
    """What a provider's answers mean to the circuit, and to the administrators.

    `sns` is boto3's client, which calls Publish. Nothing here raises: a text that went out must
    not be lost in what is only being told about it.
    """

    circuit: Circuit
    sns: Any
    topic_arn: str
    provider: str
    environment: str

    def failed(self, passage: Passage, reason: str) -> float | None:
        """Count a failure; return for how many seconds the circuit is open, None when it is not."""
        try:
            open_s = self.circuit.failed(passage)
            if open_s is not None and self.circuit.take_alert():
                self._tell_down(reason)
        except Exception as error:
            _log.error("circuit not told of a failure", error=repr(error))
            return None
        return open_s

    def answered(self, passage: Passage) -> None:
        """Close the circuit, where this answer may."""
        try:
            if self.circuit.answered(passage):
                self._publish("is back", _UP.format(**self._names()))
                _log.info("provider is back", provider=self.provider)
        except Exception as error:
            _log.error("circuit not told of an answer", error=repr(error))

    def _tell_down(self, reason: str) -> None:
        _log.error("provider is down: texts wait", provider=self.provider, reason=reason)
        try:
            self._publish("is down", _DOWN.format(reason=reason, **self._names()))
        except Exception:
            self.circuit.give_alert_back()
            raise

    def _publish(self, what: str, message: str) -> None:
        """Subjects take ASCII alone: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""
        subject = f"[{self.environment}] text provider {self.provider} {what}"
        self.sns.publish(TopicArn=self.topic_arn, Subject=subject, Message=message)

    def _names(self) -> dict[str, str]:
        return {"provider": self.provider, "environment": self.environment}
