"""Texts from the API to the provider: each at most once, and none lost while it is down."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from tests.unit.api.conftest import Api
from tests.unit.api.texts_world import World, open_world, take_bodies
from tests.unit.messaging.conftest import aligo_at, solapi_at
from tests.unit.messaging.provider_server import Fault, ProviderServer, closed_port, provider_server
from worker_images.api.models import TextMessage
from worker_images.api.texts_schedule import queue_due
from worker_images.base.cancellation import Cancellation
from worker_images.base.errors import HandedBack
from worker_images.base.job_kinds import TEXTS
from worker_images.base.status import PostgresStatus
from worker_images.base.testing import context
from worker_images.messaging.circuit import OPEN_AFTER
from worker_images.messaging.old_texts import decode

pytestmark = pytest.mark.server


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    with provider_server() as state:
        yield state


@pytest.fixture
def world(database: None, server: ProviderServer) -> Iterator[World]:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE text_messages, provider_circuits, outbox")
    world = open_world(server)
    yield world
    world.database.close()


def take(api: Api, count: int = 1, **changes: object) -> list[str]:
    """Have the API take texts; return the bodies of their messages."""
    answer = api.post(
        "/api/v1/messaging/messages/",
        {
            "idempotency_key": str(uuid4()),
            "recipients": [{"to": f"010123400{n:02d}"} for n in range(count)],
            "text": "수업이 끝났습니다.",
            "sender": "021234567",
            "reservation_id": "r-1",
            **changes,
        },
    )
    assert answer.status_code == 202
    return take_bodies()


def states() -> list[str]:
    return list(TextMessage.objects.order_by("recipient").values_list("state", flat=True))


def old_body(**changes: object) -> str:
    """Return a body as contracts.md has it, which the application before wrote."""
    return json.dumps(
        {
            "tenant_id": 3,
            "to": "010-1234-5678",
            "text": "수업이 끝났습니다.",
            "sender": "02-123-4567",
            "created_at": "2026-03-02T00:00:00Z",
            "message_mode": "sms",
            "reservation_id": 55,
            **changes,
        }
    )


@pytest.mark.parametrize("make", [aligo_at, solapi_at])
def test_a_text_goes_out_once_and_its_row_says_so(
    api: Api, world: World, make: Callable[..., Any]
) -> None:
    (body,) = take(api)
    worker = world.worker(make(world.server.endpoint))
    assert world.run(body, worker).delete
    text = TextMessage.objects.get()
    assert (text.state, text.channel) == ("SENT", "SMS")
    assert (text.provider, bool(text.provider_reference)) == (make("").name, True)
    for _ in range(3):
        assert world.run(body, worker).outcome == "DUPLICATE"
    assert len(world.server.out) == 1


def test_two_workers_with_copies_of_a_message_send_it_once(
    api: Api, world: World, together: Callable[[int, Callable[[], Any]], list[Any]]
) -> None:
    (body,) = take(api)
    together(4, lambda: world.run(body))
    assert len(world.server.out) == 1
    assert states() == ["SENT"]


@pytest.mark.parametrize("fault", [Fault.STATUS_500, Fault.RESET_AFTER, Fault.RESET_BEFORE])
def test_a_doubtful_text_is_unknown_and_never_sent_again(
    api: Api, world: World, fault: Fault
) -> None:
    (body,) = take(api)
    world.server.fault = fault
    assert world.run(body).delete
    out = len(world.server.out)
    text = TextMessage.objects.get()
    assert text.state == "UNKNOWN" and "다시 보내지 않습니다" in text.error_message
    world.server.fault = Fault.NONE
    assert world.run(body).outcome == "DUPLICATE"
    assert len(world.server.out) == out


def test_a_text_whose_worker_was_killed_while_sending_is_never_sent_again(
    api: Api, world: World
) -> None:
    (body,) = take(api)
    status = PostgresStatus(world.database.cursor, TEXTS)
    assert status.claim(decode(body).job_id, "killed", 0.0) is not None
    assert world.run(body).outcome == "DUPLICATE"
    assert states() == ["UNKNOWN"]
    assert world.server.out == []


def test_a_refused_text_fails_with_the_providers_reason(api: Api, world: World) -> None:
    (body,) = take(api)
    world.server.fault = Fault.BAD_SENDER
    assert world.run(body).delete
    text = TextMessage.objects.get()
    assert (text.state, text.error_message) == ("FAILED", "등록/인증되지 않은 발신번호입니다.")
    assert world.circuit().enter().name == "FREE"


@pytest.mark.parametrize("fault", [Fault.STATUS_503, Fault.NO_MONEY, Fault.WRONG_KEY])
def test_texts_wait_while_the_provider_is_down_and_all_go_out_once_it_is_back(
    api: Api, world: World, fault: Fault
) -> None:
    bodies = take(api, count=8)
    world.server.fault = fault
    for _ in range(3):
        assert all(world.run(body).delete for body in bodies)
        assert set(states()) == {"QUEUED"}
        assert not TextMessage.objects.exclude(step="WAITS_FOR_PROVIDER").exists()
        world.texts_are_due()
        assert queue_due() == 8
        bodies = take_bodies()
        world.circuit_is_due()
    world.server.fault = Fault.NONE
    for body in bodies:
        world.run(body)
    assert set(states()) == {"SENT"}
    assert len(world.server.out) == 8
    # No wait cost an attempt.
    assert all(text.attempt - text.hand_backs == 1 for text in TextMessage.objects.all())


def test_nobody_asks_a_provider_whose_circuit_is_open(api: Api, world: World) -> None:
    bodies = take(api, count=OPEN_AFTER + 5)
    worker = world.worker(aligo_at(f"http://127.0.0.1:{closed_port()}"))
    for body in bodies[:OPEN_AFTER]:
        world.run(body, worker)
    for body in bodies[OPEN_AFTER:]:
        assert world.run(body).outcome == "PARKED"
    assert (world.server.asked, world.server.out) == (0, [])


def test_an_outage_of_doubtful_answers_costs_few_texts(api: Api, world: World) -> None:
    """Once a provider failed, it is asked a question before it is handed another text."""
    bodies = take(api, count=10)
    world.server.fault = Fault.STATUS_502
    for _ in range(3):
        for body in bodies:
            world.run(body)
        world.texts_are_due()
        queue_due()
        bodies = take_bodies()
        world.circuit_is_due()
    assert states().count("UNKNOWN") == 1
    assert states().count("QUEUED") == 9


def test_administrators_are_told_once_that_it_is_down_and_once_that_it_is_back(
    api: Api, world: World
) -> None:
    bodies = take(api, count=6)
    world.server.fault = Fault.NO_MONEY
    for _ in range(4):
        for body in bodies:
            world.run(body)
        world.circuit_is_due()
        world.texts_are_due()
        queue_due()
        bodies = take_bodies()
    assert world.administrators.told == ["[unit] text provider aligo is down"]
    world.server.fault = Fault.NONE
    for body in bodies:
        world.run(body)
    assert world.administrators.told[1:] == ["[unit] text provider aligo is back"]


def test_administrators_are_told_later_when_the_topic_is_away(api: Api, world: World) -> None:
    bodies = take(api, count=OPEN_AFTER)
    world.server.fault = Fault.NO_MONEY
    world.administrators.away = True
    for body in bodies:
        world.run(body)
    assert world.administrators.told == []
    world.administrators.away = False
    world.circuit_is_due()
    world.run(take(api)[0])
    assert world.administrators.told == ["[unit] text provider aligo is down"]


def test_a_text_that_came_too_fast_waits_and_is_no_outage(api: Api, world: World) -> None:
    for body in take(api, count=OPEN_AFTER + 1):
        world.server.fault = Fault.STATUS_429
        assert world.run(body).outcome == "PARKED"
    assert world.circuit().enter().name == "FREE"
    assert world.administrators.told == []


def test_a_cancelled_text_never_goes_out_though_its_message_is_in_the_queue(
    api: Api, world: World
) -> None:
    (body,) = take(api)
    api.post("/api/v1/messaging/reservations/r-1/cancel/")
    assert world.run(body).outcome == "DUPLICATE"
    assert (states(), world.server.out) == (["CANCELLED"], [])


def test_a_text_that_waits_for_its_provider_can_be_cancelled(api: Api, world: World) -> None:
    (body,) = take(api)
    world.server.fault = Fault.STATUS_503
    world.run(body)
    assert api.post("/api/v1/messaging/reservations/r-1/cancel/").json()["cancelled_now"] == 1
    world.texts_are_due()
    assert queue_due() == 0


ALIM = {"template_id": "ARRIVED", "text": "#{이름} 도착"}
PARENT = {"recipients": [{"to": "01012345678", "alimtalk_replacements": {"이름": "민수"}}]}


def test_both_is_an_alimtalk_that_the_provider_may_replace(api: Api, world: World) -> None:
    (body,) = take(api, message_mode="both", **ALIM, **PARENT)
    world.run(body)
    (out,) = world.server.out
    assert (out["tpl_code"], out["failover"], out["fmessage_1"]) == ("ARRIVED", "Y", "민수 도착")
    assert TextMessage.objects.get().channel == "ALIMTALK"


def test_both_is_one_sms_when_the_alimtalk_is_certainly_refused(api: Api, world: World) -> None:
    (body,) = take(api, message_mode="both", **ALIM, **PARENT)
    world.server.fault = Fault.BAD_TEMPLATE
    world.run(body)
    (out,) = world.server.out
    assert out["msg"] == "민수 도착"
    assert (states(), TextMessage.objects.get().channel) == (["SENT"], "SMS")


def test_both_is_never_two_texts_on_doubt(api: Api, world: World) -> None:
    (body,) = take(api, message_mode="both", **ALIM, **PARENT)
    world.server.fault = Fault.RESET_AFTER
    world.run(body)
    assert len(world.server.out) == 1
    assert states() == ["UNKNOWN"]


def test_an_alimtalk_alone_fails_when_it_is_refused(api: Api, world: World) -> None:
    (body,) = take(api, message_mode="alimtalk", **ALIM, **PARENT)
    world.server.fault = Fault.BAD_TEMPLATE
    world.run(body)
    assert (states(), world.server.out) == (["FAILED"], [])


@pytest.mark.parametrize("reservation_id", [55, "55", None])
def test_a_text_of_the_application_before_is_sent_once(world: World, reservation_id: Any) -> None:
    body = old_body(reservation_id=reservation_id)
    assert world.run(body).outcome == "SUCCEEDED"
    assert world.run(body).outcome == "DUPLICATE"
    assert len(world.server.out) == 1
    text = TextMessage.objects.get()
    assert (text.tenant_id, text.reservation_id) == (3, str(reservation_id or ""))


def test_an_old_text_of_a_cancelled_reservation_is_not_sent(world: World) -> None:
    world.server.fault = Fault.STATUS_503
    world.run(old_body(to="01011112222"))
    assert Api(tenant_id=3).post("/api/v1/messaging/reservations/55/cancel/").status_code == 200
    world.server.fault = Fault.NONE
    assert world.run(old_body()).outcome == "DUPLICATE"
    assert world.server.out == []


@pytest.mark.parametrize(
    "changes",
    [{"to": "021234567"}, {"text": "😀"}, {"message_mode": "alimtalk"}, {"sender": "1"}],
)
def test_an_old_text_that_nobody_checked_fails_with_a_reason(
    world: World, changes: dict[str, object]
) -> None:
    assert world.run(old_body(**changes)).delete
    text = TextMessage.objects.get()
    assert text.state == "FAILED" and text.error_message
    assert world.server.out == []


def test_a_drained_worker_hands_a_text_back_before_it_is_sent(world: World) -> None:
    cancellation = Cancellation()
    cancellation.cancel(HandedBack("DRAINED", "told to stop"))
    with pytest.raises(HandedBack, match="DRAINED"):
        world.handler()(decode(old_body()), context(cancellation))
    assert world.server.out == []


def test_a_database_away_before_the_call_lets_the_text_wait(world: World) -> None:
    handler = world.handler()
    with world.database.cursor() as cursor:
        cursor.execute("ALTER TABLE provider_circuits RENAME TO away")
    try:
        with pytest.raises(HandedBack, match="NO_DATABASE"):
            handler(decode(old_body()), context())
    finally:
        with world.database.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO provider_circuits")
    assert world.server.out == []


def test_no_number_and_no_secret_stands_in_a_log_line(
    api: Api, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for fault in (Fault.NONE, Fault.BAD_SENDER, Fault.RESET_AFTER, Fault.NO_MONEY):
        world.server.fault = fault
        world.run(take(api, reservation_id=str(fault.name))[0])
    lines = "\n".join(
        f"{record.getMessage()} {getattr(record, 'fields', '')}" for record in caplog.records
    )
    assert "text sent" in lines
    for secret in ("01012340000", "unit-api-key", "수업이 끝났습니다"):
        assert secret not in lines
