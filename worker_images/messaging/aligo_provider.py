"""Aligo, over its HTTP APIs: https://smartsms.aligo.in/admin/api/spec.html (SMS and LMS) and
https://smartsms.aligo.in/alimapi.html (Alimtalk).
"""

from __future__ import annotations

from typing import Any

import httpx

from worker_images.base.errors import Ambiguous
from worker_images.messaging.provider import (
    ALIMTALK,
    NotSent,
    Outgoing,
    Refused,
    Sent,
    Throttled,
)

SMS_ENDPOINT = "https://apis.aligo.in"
KAKAO_ENDPOINT = "https://kakaoapi.aligo.in"
_TIMEOUT = httpx.Timeout(10, connect=5)
_THROTTLED_STATUS, _AWAY_STATUS = 429, 503
_ACCEPTED_SMS, _ACCEPTED_KAKAO = 1, 0
_WRONG_KEY = -101
#: What the message says when the account is why: no money left, or an address not registered.
_ACCOUNT = ("부족", "IP")
_SUBJECT_CHARACTERS = 20


class AligoProvider:
    """`Provider` over Aligo. With `test_mode` Aligo answers as always and sends nothing.

    No connection is kept for the next text: one that Aligo closes meanwhile would fail after the
    request was written, and leave a doubt about a text that never went out.
    """

    name = "aligo"

    def __init__(
        self,
        *,
        api_key: str,
        user_id: str,
        test_mode: bool,
        kakao_sender_key: str = "",
        sms_endpoint: str = SMS_ENDPOINT,
        kakao_endpoint: str = KAKAO_ENDPOINT,
    ) -> None:
        self._api_key, self._user_id = api_key, user_id
        self._kakao_sender_key = kakao_sender_key
        self._test_mode = "Y" if test_mode else "N"
        self._sms_endpoint, self._kakao_endpoint = sms_endpoint, kakao_endpoint
        self._http = httpx.Client(
            timeout=_TIMEOUT, limits=httpx.Limits(max_keepalive_connections=0)
        )

    def send(self, text: Outgoing) -> Sent:
        return self._send_alimtalk(text) if text.template_id else self._send_sms(text)

    def ask(self) -> None:
        credentials = {"key": self._api_key, "user_id": self._user_id}
        try:
            answer = self._post(f"{self._sms_endpoint}/remain/", credentials)
        except Ambiguous as error:
            raise NotSent(error.code, error.message) from error
        code = _code(answer, "result_code")
        if code != _ACCEPTED_SMS:
            raise NotSent(str(code), _reason(answer))

    def _send_sms(self, text: Outgoing) -> Sent:
        form = {
            "key": self._api_key,
            "user_id": self._user_id,
            "sender": text.sender,
            "receiver": text.to,
            "msg": text.carrier_text,
            "msg_type": str(text.kind),
            "testmode_yn": self._test_mode,
        }
        answer = self._post(f"{self._sms_endpoint}/send/", form)
        if _code(answer, "result_code") != _ACCEPTED_SMS:
            raise _refusal(_code(answer, "result_code"), answer)
        if str(answer.get("success_cnt", 1)) == "0":
            raise Refused("NO_RECIPIENT", _reason(answer))
        return Sent(str(answer.get("msg_id", "")), str(text.kind))

    def _send_alimtalk(self, text: Outgoing) -> Sent:
        form = {
            "apikey": self._api_key,
            "userid": self._user_id,
            "senderkey": self._kakao_sender_key,
            "tpl_code": text.template_id,
            "sender": text.sender,
            "receiver_1": text.to,
            "subject_1": text.text.partition("\n")[0][:_SUBJECT_CHARACTERS],
            "message_1": text.text,
            "failover": "Y" if text.failover else "N",
            "testMode": self._test_mode,
        }
        if text.failover:
            form |= {"fsubject_1": form["subject_1"], "fmessage_1": text.carrier_text}
        answer = self._post(f"{self._kakao_endpoint}/akv10/alimtalk/send/", form)
        if _code(answer, "code") != _ACCEPTED_KAKAO:
            raise _refusal(_code(answer, "code"), answer)
        info = answer.get("info")
        if isinstance(info, dict) and str(info.get("scnt", 1)) == "0":
            raise Refused("NO_RECIPIENT", _reason(answer))
        return Sent(str(info.get("mid", "")) if isinstance(info, dict) else "", ALIMTALK)

    def _post(self, url: str, form: dict[str, str]) -> dict[str, Any]:
        """Return the JSON object that answers a form. Raises: NotSent, Throttled, Ambiguous."""
        try:
            answer = self._http.post(url, data=form)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise NotSent("UNREACHABLE", f"aligo: {error!r}") from error
        except httpx.HTTPError as error:
            raise Ambiguous("NO_CLEAR_ANSWER", f"aligo: {error!r}") from error
        _check_status(answer.status_code)
        try:
            body = answer.json()
        except ValueError as error:
            raise Ambiguous("NO_CLEAR_ANSWER", "aligo: the answer is no JSON") from error
        if not isinstance(body, dict):
            raise Ambiguous("NO_CLEAR_ANSWER", "aligo: the answer is no JSON object")
        return body


def _check_status(status: int) -> None:
    """Raise for what is no 200. 503 says that the request was not handled (RFC 9110, 15.6.4)."""
    if status == httpx.codes.OK:
        return
    if status == _THROTTLED_STATUS:
        raise Throttled("THROTTLED", "aligo: status 429")
    if status < httpx.codes.INTERNAL_SERVER_ERROR or status == _AWAY_STATUS:
        raise NotSent(f"HTTP_{status}", f"aligo: status {status}")
    raise Ambiguous("NO_CLEAR_ANSWER", f"aligo: status {status}")


def _code(answer: dict[str, Any], name: str) -> int:
    """Return the result's code, which comes as a number or as its digits. Raises: Ambiguous."""
    try:
        return int(answer[name])
    except (KeyError, TypeError, ValueError) as error:
        raise Ambiguous("NO_CLEAR_ANSWER", f"aligo: no {name} in the answer") from error


def _reason(answer: dict[str, Any]) -> str:
    return str(answer.get("message", "알리고가 이유를 알리지 않고 거절했습니다."))


def _refusal(code: int, answer: dict[str, Any]) -> NotSent | Refused:
    reason = _reason(answer)
    if code == _WRONG_KEY or any(word in reason for word in _ACCOUNT):
        return NotSent(str(code), reason)
    return Refused(str(code), reason)
