"""The provider of texts that the embedded AWS plays: Aligo's calls, and what it has taken."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.test import Client

from local.faults import Faults
from local.text_provider import FAULT, KEPT, PREFIX, TAKEN, TextProvider

SMS = {"key": "k", "user_id": "u", "receiver": "01012345678", "msg": "안녕하세요"}
KAKAO = {"apikey": "k", "userid": "u", "receiver_1": "01012345678", "message_1": "안녕하세요"}


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def provider(faults: Faults) -> Client:
    return Client(TextProvider(faults))


def post(provider: Client, call: str, form: dict[str, str]) -> dict[str, Any]:
    answer = provider.post(f"{PREFIX}{call}/", data=form)
    assert answer.status_code == 200, answer.text
    return dict(json.loads(answer.text))


def taken(provider: Client) -> list[dict[str, str]]:
    return list(json.loads(provider.get(TAKEN).text))


def test_texts_are_taken_and_can_be_read_without_the_key(provider: Client) -> None:
    sms, kakao = post(provider, "send", SMS), post(provider, "akv10/alimtalk/send", KAKAO)
    assert (sms["result_code"], sms["msg_id"], sms["success_cnt"]) == (1, "1", 1)
    assert (kakao["code"], kakao["info"]["mid"], kakao["info"]["scnt"]) == (0, 2, 1)
    first, second = taken(provider)
    assert (first["msg"], second["message_1"]) == ("안녕하세요", "안녕하세요")
    assert "key" not in first
    assert "apikey" not in second


@pytest.mark.parametrize(
    ("call", "code"), [("send", "result_code"), ("akv10/alimtalk/send", "code")]
)
def test_without_the_accounts_key_nothing_is_taken(provider: Client, call: str, code: str) -> None:
    assert post(provider, call, {"receiver": "01012345678"})[code] == -101
    assert taken(provider) == []


def test_it_can_be_taken_away_and_still_tells_what_it_took(
    provider: Client, faults: Faults
) -> None:
    post(provider, "send", SMS)
    faults.put(FAULT, down=True)
    assert provider.post(f"{PREFIX}send/", data=SMS).status_code == 503
    assert len(taken(provider)) == 1
    faults.put(FAULT, down=False)
    assert post(provider, "remain", {"key": "k"})["result_code"] == 1


def test_an_unknown_call_is_refused_and_the_oldest_texts_are_forgotten(provider: Client) -> None:
    assert provider.post(f"{PREFIX}cancel/", data=SMS).status_code == 404
    for number in range(KEPT + 1):
        post(provider, "send", {**SMS, "msg": str(number)})
    assert [each["msg"] for each in taken(provider)[:1]] == ["1"]
