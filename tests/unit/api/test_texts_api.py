"""Texts: what is taken, what is taken once, what is scheduled, and what a cancellation reaches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from config.contracts.states import TextState
from config.contracts.text_messages import WAITS_FOR_PROVIDER, decode_text_job
from tests.unit.api.conftest import Api
from worker_images.api.models import OutboxEntry, TextMessage
from worker_images.api.texts_schedule import queue_due
from worker_images.base.job_kinds import TEXTS
from worker_images.base.status import PostgresStatus

pytestmark = pytest.mark.server
MESSAGES = "/api/v1/messaging/messages/"


@pytest.fixture(autouse=True)
def _no_texts(database: None) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE text_messages")
    yield


def body(**changes: object) -> dict[str, object]:
    return {
        "idempotency_key": "attendance-1",
        "recipients": [{"to": "010-1234-5678"}],
        "text": "수업이 끝났습니다.",
        "sender": "02-123-4567",
        **changes,
    }


def later(**delta: float) -> str:
    return (timezone.now() + timedelta(**delta)).isoformat()


def bodies() -> list[Any]:
    return [decode_text_job(entry.body) for entry in OutboxEntry.objects.order_by("id")]


def cancel(api: Api, reservation_id: str) -> Any:
    return api.post(f"/api/v1/messaging/reservations/{reservation_id}/cancel/")


def test_a_text_is_taken_with_its_message(api: Api) -> None:
    answer = api.post(MESSAGES, body())
    assert answer.status_code == 202
    text = answer.json()["messages"][0]
    assert (text["to"], text["status"]) == ("01012345678", "QUEUED")
    (message,) = bodies()
    assert (message.job_id, message.to, message.sender) == (text["id"], "01012345678", "021234567")
    assert message.reservation_id == answer.json()["reservation_id"]
    assert api.get(f"{MESSAGES}{text['id']}/").json() == text


def test_each_recipient_reads_a_text_of_its_own(api: Api) -> None:
    recipients = [
        {"to": "01011112222", "alimtalk_replacements": {"이름": "민수"}},
        {"to": "01033334444", "alimtalk_replacements": {"#{이름}": "지우"}},
    ]
    answer = api.post(MESSAGES, body(recipients=recipients, text="#{이름} 학생이 도착했습니다."))
    assert answer.status_code == 202
    assert [(each.to, each.text) for each in bodies()] == [
        ("01011112222", "민수 학생이 도착했습니다."),
        ("01033334444", "지우 학생이 도착했습니다."),
    ]


def test_the_same_call_again_sends_nothing_more(api: Api) -> None:
    first = api.post(MESSAGES, body()).json()
    again = api.post(MESSAGES, body())
    assert (again.status_code, again.json()) == (202, first)
    assert OutboxEntry.objects.count() == TextMessage.objects.count() == 1


def test_the_same_call_at_once_is_taken_once(
    api: Api, together: Callable[[int, Callable[[], Any]], list[Any]]
) -> None:
    answers = together(4, lambda: Api().post(MESSAGES, body()))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["messages"][0]["id"] for answer in answers}) == 1
    assert OutboxEntry.objects.count() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "다른 내용"},
        {"recipients": [{"to": "01099998888"}]},
        {"recipients": [{"to": "01012345678"}, {"to": "01099998888"}]},
        {"sender": "15881234"},
        {"reservation_id": "another"},
    ],
)
def test_a_key_used_for_something_else_is_a_conflict(api: Api, changes: dict[str, Any]) -> None:
    api.post(MESSAGES, body())
    assert api.post(MESSAGES, body(**changes)).status_code == 409
    assert OutboxEntry.objects.count() == 1


def test_fewer_recipients_than_the_key_had_are_a_conflict(api: Api) -> None:
    recipients = [{"to": "01011112222"}, {"to": "01033334444"}]
    api.post(MESSAGES, body(recipients=recipients))
    assert api.post(MESSAGES, body(recipients=recipients[:1])).status_code == 409


def test_a_key_belongs_to_its_tenant(api: Api) -> None:
    api.post(MESSAGES, body())
    assert Api(tenant_id=2).post(MESSAGES, body()).status_code == 202
    assert TextMessage.objects.count() == 2


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("recipients", {"recipients": [{"to": "021234567"}]}),
        ("recipients", {"recipients": []}),
        ("recipients", {"recipients": [{"to": "01012345678"}, {"to": "+82 10 1234 5678"}]}),
        ("sender", {"sender": "1234"}),
        ("text", {"text": "축하합니다 😀"}),
        ("text", {"text": "가" * 1001}),
        ("text", {"text": "#{이름} 학생"}),
        ("text", {"text": " \n"}),
        ("message_mode", {"message_mode": "fax"}),
        ("template_id", {"message_mode": "alimtalk"}),
        ("template_id", {"message_mode": "both"}),
        ("send_at", {"send_at": "2026-03-02T09:00:00"}),
        ("send_at", {"send_at": later(days=400)}),
        ("reservation_id", {"reservation_id": "a/b"}),
        ("idempotency_key", {"idempotency_key": ""}),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anything_is_queued(
    api: Api, field: str, changes: dict[str, Any]
) -> None:
    answer = api.post(MESSAGES, body(**changes))
    assert answer.status_code == 400
    assert field in answer.json()
    assert not OutboxEntry.objects.exists() and not TextMessage.objects.exists()


def test_an_alimtalk_may_hold_what_no_carrier_takes(api: Api) -> None:
    changes = {"message_mode": "alimtalk", "template_id": "WELCOME", "text": "환영합니다 😀"}
    assert api.post(MESSAGES, body(**changes)).status_code == 202


def test_a_text_of_another_tenant_is_not_found(api: Api) -> None:
    text_id = api.post(MESSAGES, body()).json()["messages"][0]["id"]
    assert Api(tenant_id=2).get(f"{MESSAGES}{text_id}/").status_code == 404
    assert api.get(f"{MESSAGES}{uuid4()}/").status_code == 404


def test_a_scheduled_text_has_no_message_before_its_time(api: Api) -> None:
    text = api.post(MESSAGES, body(send_at=later(hours=1))).json()["messages"][0]
    assert text["status"] == "SCHEDULED"
    assert queue_due() == 0
    assert bodies() == []


def test_a_text_whose_time_has_come_is_queued_once(
    api: Api, together: Callable[[int, Callable[[], Any]], list[Any]]
) -> None:
    text = api.post(MESSAGES, body(send_at=later(hours=1))).json()["messages"][0]
    TextMessage.objects.update(send_at=timezone.now())
    assert sum(together(4, queue_due)) == 1
    assert queue_due() == 0
    assert [message.job_id for message in bodies()] == [text["id"]]
    assert TextMessage.objects.get().state == TextState.QUEUED


def test_a_time_in_the_past_is_now(api: Api) -> None:
    answer = api.post(MESSAGES, body(send_at=later(minutes=-1)))
    assert answer.json()["messages"][0]["status"] == "QUEUED"
    assert len(bodies()) == 1


def test_a_text_that_waited_for_its_provider_is_queued_again_once(api: Api) -> None:
    api.post(MESSAGES, body())
    TextMessage.objects.update(step=WAITS_FOR_PROVIDER, send_at=timezone.now())
    assert (queue_due(), queue_due()) == (1, 0)
    assert len(bodies()) == 2


def test_a_cancelled_reservation_never_goes_out(api: Api) -> None:
    recipients = [{"to": "01011112222"}, {"to": "01033334444"}]
    reserved = body(recipients=recipients, reservation_id="r-7", send_at=later(hours=1))
    api.post(MESSAGES, reserved)
    answer = cancel(api, "r-7")
    assert answer.status_code == 200
    assert answer.json()["cancelled_now"] == 2
    assert answer.json()["messages"]["CANCELLED"] == 2
    TextMessage.objects.update(send_at=timezone.now())
    assert queue_due() == 0


def test_a_cancelled_text_in_the_queue_cannot_be_claimed(api: Api) -> None:
    text = api.post(MESSAGES, body(reservation_id="r-8")).json()["messages"][0]
    cancel(api, "r-8")
    assert PostgresStatus(connection.cursor, TEXTS).claim(text["id"], "worker", 60) is None


def test_a_cancellation_says_what_it_did_not_reach(api: Api) -> None:
    recipients = [{"to": f"0101111000{n}"} for n in range(4)]
    texts = api.post(MESSAGES, body(recipients=recipients, reservation_id="r-9")).json()
    ids = [text["id"] for text in texts["messages"]]
    for text_id, state in zip(ids, ("SENDING", "SENT", "UNKNOWN", "QUEUED"), strict=True):
        TextMessage.objects.filter(pk=text_id).update(state=state)
    counts = cancel(api, "r-9").json()
    assert counts["cancelled_now"] == 1
    assert {state: count for state, count in counts["messages"].items() if count} == {
        "SENDING": 1,
        "SENT": 1,
        "UNKNOWN": 1,
        "CANCELLED": 1,
    }
    assert cancel(api, "r-9").json()["cancelled_now"] == 0


def test_a_reservation_of_another_tenant_is_not_found(api: Api) -> None:
    api.post(MESSAGES, body(reservation_id="r-1"))
    assert cancel(Api(tenant_id=2), "r-1").status_code == 404
    assert cancel(api, "r-2").status_code == 404
    assert TextMessage.objects.get().state == TextState.QUEUED


def test_texts_need_the_operator_token(api: Api) -> None:
    assert Api(token="wrong").post(MESSAGES, body()).status_code == 401
