"""Solapi, through its own SDK."""

from __future__ import annotations

from typing import NoReturn

import httpx
from solapi import SolapiMessageService
from solapi.error.MessageNotReceiveError import MessageNotReceivedError
from solapi.model import KakaoOption, MessageType, RequestMessage, SendRequestConfig
from solapi.model.response.send_message_response import SendMessageResponse

from worker_images.base.errors import Ambiguous
from worker_images.messaging.provider import (
    ALIMTALK,
    NotSent,
    Outgoing,
    Refused,
    Sent,
    Throttled,
)

SOLAPI_ENDPOINT = "https://api.solapi.com"
#: The SDK's word for every 5xx, and for a 4xx without a code: it hides the status.
_UNKNOWN = "UnknownError"
_THROTTLED = "TooManyRequests"
#: Codes of a request that was turned away for the account's sake: keys, clock, address, money.
_ACCOUNT = (
    "apikey",
    "signature",
    "timetooskewed",
    "unauthorized",
    "forbidden",
    "notallowedip",
    "balance",
)
_NO_MONEY = "잔액"


class SolapiProvider:
    """`Provider` over https://developers.solapi.com; `endpoint` is where its API listens.

    Each call opens a connection of its own (the SDK's way), waits 5 s for an answer, and the SDK
    repeats nothing but failed connects, so that one call hands a text over at most once.
    """

    name = "solapi"

    def __init__(
        self,
        *,
        api_key: str,
        api_secret: str,
        kakao_channel: str = "",
        endpoint: str = SOLAPI_ENDPOINT,
    ) -> None:
        self._service = SolapiMessageService(api_key, api_secret)
        self._kakao_channel = kakao_channel
        self._service.base_url = endpoint

    def send(self, text: Outgoing) -> Sent:
        message = self._message(text)
        try:
            answer = self._service.send(message, SendRequestConfig(show_message_list=True))
        except Exception as error:
            _explain(error)
        return _sent(answer, ALIMTALK if text.template_id else text.kind)

    def ask(self) -> None:
        try:
            self._service.get_balance()
        except Exception as error:
            raise NotSent("NO_ANSWER", f"solapi: {error!r}") from error

    def _message(self, text: Outgoing) -> RequestMessage:
        common = {"from_": text.sender, "to": text.to, "custom_fields": {"text_id": text.text_id}}
        if not text.template_id:
            kind = MessageType(text.kind)
            return RequestMessage(
                **common, type=kind, text=text.carrier_text, auto_type_detect=False
            )
        options = KakaoOption(
            pf_id=self._kakao_channel,
            template_id=text.template_id,
            variables=dict(text.replacements),
            disable_sms=not text.failover,
        )
        # The Alimtalk itself is made of its template; the text is what a failover sends.
        failover = text.carrier_text if text.failover else None
        return RequestMessage(**common, type=MessageType.ATA, text=failover, kakao_options=options)


def _sent(answer: SendMessageResponse, channel: str) -> Sent:
    if answer.failed_message_list:
        failed = answer.failed_message_list[0]
        _refuse(failed.status_code, failed.status_message)
    messages = answer.message_list or []
    reference = messages[0].message_id if messages else answer.group_info.group_id
    return Sent(reference, str(channel))


def _explain(error: Exception) -> NoReturn:
    """Turn what the SDK raised into what it says about the text; what is not certain is doubt."""
    if isinstance(error, MessageNotReceivedError):
        failed = error.failed_messages[0]
        _refuse(failed.status_code, failed.status_message)
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        raise NotSent("UNREACHABLE", f"solapi: {error!r}") from error
    words = [each for each in error.args if isinstance(each, str)]
    # The SDK raises bare Exceptions of (errorCode, errorMessage) for what was turned away.
    if type(error) is not Exception or len(words) != 2 or words[0] == _UNKNOWN:
        raise Ambiguous("NO_CLEAR_ANSWER", f"solapi: {error!r}") from error
    _refuse(*words)


def _refuse(code: str, reason: str) -> NoReturn:
    if code == _THROTTLED:
        raise Throttled(code, reason)
    if any(word in code.lower() for word in _ACCOUNT) or _NO_MONEY in reason:
        raise NotSent(code, reason)
    raise Refused(code, reason)
