"""Both providers, over real sockets, against a server that answers in every way they may."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from config.contracts.carrier_text import TextKind
from tests.unit.messaging.conftest import aligo_at, solapi_at
from tests.unit.messaging.provider_server import (
    KAKAO_KEY,
    USER_ID,
    Fault,
    ProviderServer,
    closed_port,
)
from worker_images.base.errors import Ambiguous
from worker_images.messaging.provider import (
    ALIMTALK,
    NotSent,
    Outgoing,
    Provider,
    Refused,
    Throttled,
)

SMS = Outgoing(text_id="t-1", to="01012345678", sender="0212345678", text="수업이 끝났습니다.")
ALIM = Outgoing(
    text_id="t-2",
    to="01012345678",
    sender="0212345678",
    text="민수 학생이 도착했습니다.\n학원 드림",
    template_id="ARRIVED",
    replacements={"이름": "민수"},
)
BOTH = Outgoing(**{**vars(ALIM), "failover": True})


def test_a_text_that_is_taken_is_sent(
    provider_at: Callable[..., Provider], server: ProviderServer
) -> None:
    sent = provider_at(server.endpoint).send(SMS)
    assert sent.channel == TextKind.SMS
    assert sent.reference in ("M4V01", "83819703")
    assert len(server.out) == 1


def test_no_connection_is_kept_that_the_provider_could_close_under_the_next_text(
    provider_at: Callable[..., Provider], server: ProviderServer
) -> None:
    provider = provider_at(server.endpoint)
    provider.send(SMS)
    provider.send(SMS)
    assert (server.connections, len(server.out)) == (2, 2)


@pytest.mark.parametrize(
    "fault",
    [Fault.STATUS_500, Fault.STATUS_502, Fault.RESET_BEFORE, Fault.RESET_AFTER,
     Fault.HALF_AN_ANSWER, Fault.NO_JSON, Fault.OTHER_JSON],
)  # fmt: skip
def test_no_clear_answer_is_a_doubt(
    provider_at: Callable[..., Provider], server: ProviderServer, fault: Fault
) -> None:
    server.fault = fault
    with pytest.raises(Ambiguous):
        provider_at(server.endpoint).send(SMS)
    assert len(server.out) <= 1


@pytest.mark.parametrize(
    "fault", [Fault.STATUS_502, Fault.RESET_BEFORE, Fault.NO_JSON], ids=lambda fault: fault.name
)
def test_no_clear_answer_to_a_question_is_no_doubt(
    provider_at: Callable[..., Provider], server: ProviderServer, fault: Fault
) -> None:
    server.fault = fault
    with pytest.raises(NotSent):
        provider_at(server.endpoint).ask()


def test_a_provider_that_answers_may_be_asked(
    provider_at: Callable[..., Provider], server: ProviderServer
) -> None:
    provider_at(server.endpoint).ask()
    assert (server.asked, server.out) == (1, [])


def test_silence_is_a_doubt(provider_at: Callable[..., Provider], server: ProviderServer) -> None:
    server.fault = Fault.SILENT_AFTER
    with pytest.raises(Ambiguous):
        provider_at(server.endpoint).send(SMS)
    assert len(server.out) == 1


def test_a_refused_connection_is_certainly_not_sent(provider_at: Callable[..., Provider]) -> None:
    with pytest.raises(NotSent, match="UNREACHABLE"):
        provider_at(f"http://127.0.0.1:{closed_port()}").send(SMS)


def test_a_name_that_nobody_knows_is_certainly_not_sent(
    provider_at: Callable[..., Provider],
) -> None:
    with pytest.raises(NotSent, match="UNREACHABLE"):
        provider_at("http://provider.invalid").send(SMS)


@pytest.mark.parametrize("fault", [Fault.NO_MONEY, Fault.WRONG_KEY])
def test_an_account_out_of_order_lets_texts_wait(
    provider_at: Callable[..., Provider], server: ProviderServer, fault: Fault
) -> None:
    server.fault = fault
    for text in (SMS, ALIM):
        with pytest.raises(NotSent):
            provider_at(server.endpoint).send(text)
    assert server.out == []


def test_a_wrong_key_is_seen_by_the_server(
    provider_at: Callable[..., Provider], server: ProviderServer
) -> None:
    with pytest.raises(NotSent):
        provider_at(server.endpoint, api_key="another").send(SMS)


def test_an_unregistered_sender_is_refused(
    provider_at: Callable[..., Provider], server: ProviderServer
) -> None:
    server.fault = Fault.BAD_SENDER
    with pytest.raises(Refused, match="발신번호"):
        provider_at(server.endpoint).send(SMS)


def test_too_many_at_once_are_throttled(
    provider_at: Callable[..., Provider], server: ProviderServer
) -> None:
    server.fault = Fault.STATUS_429
    with pytest.raises(Throttled):
        provider_at(server.endpoint).send(SMS)


@pytest.mark.parametrize("fault", [Fault.STATUS_503, Fault.STATUS_403])
def test_aligo_turning_a_request_away_is_certainly_not_sent(
    server: ProviderServer, fault: Fault
) -> None:
    server.fault = fault
    with pytest.raises(NotSent):
        aligo_at(server.endpoint).send(SMS)


def test_solapis_503_is_a_doubt_since_its_sdk_hides_the_status(server: ProviderServer) -> None:
    server.fault = Fault.STATUS_503
    with pytest.raises(Ambiguous):
        solapi_at(server.endpoint).send(SMS)


def test_a_long_text_goes_as_lms(
    provider_at: Callable[..., Provider], server: ProviderServer
) -> None:
    sent = provider_at(server.endpoint).send(Outgoing(**{**vars(SMS), "text": "가" * 46}))
    assert sent.channel == TextKind.LMS
    out = server.out[0]
    assert out.get("type", out.get("msg_type")) == "LMS"


@pytest.mark.parametrize(("test_mode", "flag"), [(True, "Y"), (False, "N")])
def test_aligos_test_mode_is_told_to_both_of_its_apis(
    server: ProviderServer, test_mode: bool, flag: str
) -> None:
    aligo = aligo_at(server.endpoint, test_mode=test_mode)
    aligo.send(SMS)
    aligo.send(ALIM)
    assert [server.out[0]["testmode_yn"], server.out[1]["testMode"]] == [flag, flag]


def test_what_aligo_is_told_of_a_text(server: ProviderServer) -> None:
    aligo_at(server.endpoint).send(SMS)
    assert server.out == [
        {
            "key": "unit-api-key",
            "user_id": USER_ID,
            "sender": "0212345678",
            "receiver": "01012345678",
            "msg": "수업이 끝났습니다.",
            "msg_type": "SMS",
            "testmode_yn": "N",
        }
    ]


def test_what_aligo_is_told_of_an_alimtalk(server: ProviderServer) -> None:
    sent = aligo_at(server.endpoint).send(BOTH)
    assert (sent.channel, sent.reference) == (ALIMTALK, "77")
    out = server.out[0]
    assert (out["senderkey"], out["tpl_code"]) == (KAKAO_KEY, "ARRIVED")
    assert out["message_1"] == out["fmessage_1"] == BOTH.text
    assert out["subject_1"] == "민수 학생이 도착했습니다."
    assert out["failover"] == "Y"


def test_what_solapi_is_told_of_an_alimtalk(server: ProviderServer) -> None:
    assert solapi_at(server.endpoint).send(BOTH).channel == ALIMTALK
    out = server.out[0]
    assert (out["type"], out["from"], out["to"]) == ("ATA", "0212345678", "01012345678")
    assert out["kakaoOptions"] == {
        "pfId": KAKAO_KEY,
        "templateId": "ARRIVED",
        "variables": {"#{이름}": "민수"},
        "disableSms": False,
    }
    assert out["text"] == BOTH.text
    assert out["customFields"] == {"text_id": "t-2"}


@pytest.mark.parametrize("make", [solapi_at, aligo_at])
def test_an_alimtalk_alone_never_becomes_an_sms(
    make: Callable[..., Provider], server: ProviderServer
) -> None:
    make(server.endpoint).send(ALIM)
    out = server.out[0]
    assert out.get("failover") == "N" or out["kakaoOptions"]["disableSms"] is True
    assert "fmessage_1" not in out


def test_a_template_nobody_knows_is_refused(
    provider_at: Callable[..., Provider], server: ProviderServer
) -> None:
    server.fault = Fault.BAD_TEMPLATE
    with pytest.raises(Refused, match="템플릿"):
        provider_at(server.endpoint).send(ALIM)
    assert server.out == []
