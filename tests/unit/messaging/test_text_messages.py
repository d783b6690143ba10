"""Bodies of the messaging queue, those of the application before among them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from config.contracts.fields import Undecodable
from config.contracts.text_messages import MessageMode, TextJob, decode_text_job, encode_text_job
from worker_images.messaging.old_texts import OldText, decode

OLD = {
    "tenant_id": 3,
    "to": "010-1234-5678",
    "text": "#{이름} 도착",
    "sender": "02-123-4567",
    "created_at": "2026-03-02T00:00:00Z",
}


def old(**changes: Any) -> str:
    return json.dumps({**OLD, **changes})


def test_a_body_of_ours_comes_back_as_it_went_in() -> None:
    job = TextJob(
        job_id="6a1f0f0e-9a3c-4c0e-8f6c-0d6f4b8f0b11",
        tenant_id=1,
        to="01012345678",
        text="안녕",
        sender="021234567",
        created_at="2026-03-02T00:00:00+00:00",
        message_mode=MessageMode.BOTH,
        reservation_id="r-1",
        template_id="T",
        alimtalk_replacements={"이름": "민수"},
    )
    assert decode(encode_text_job(job)) == job


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"이름": "민수", "번호": 7}, {"이름": "민수", "번호": "7"}),
        ([{"key": "이름", "value": "민수"}], {"이름": "민수"}),
        ([], {}),
        (None, {}),
    ],
)
def test_replacements_are_read_in_both_of_their_shapes(given: Any, read: dict[str, str]) -> None:
    assert decode_text_job(old(alimtalk_replacements=given)).alimtalk_replacements == read


@pytest.mark.parametrize(("given", "read"), [(55, "55"), ("r-1", "r-1"), (None, ""), ("", "")])
def test_reservations_are_numbers_or_text(given: Any, read: str) -> None:
    assert decode_text_job(old(reservation_id=given)).reservation_id == read


def test_a_copy_of_an_old_body_is_known_as_a_copy() -> None:
    first, other = decode(old()), decode(old(created_at="2026-03-02T00:00:01Z"))
    assert isinstance(first, OldText)
    assert first.job_id == decode(json.dumps(dict(reversed(OLD.items())))).job_id
    assert first.job_id != other.job_id


@pytest.mark.parametrize(
    "body",
    [
        "no JSON",
        "[]",
        old(to=1012345678),
        old(sender=""),
        old(message_mode="fax"),
        old(reservation_id=True),
        old(alimtalk_replacements=["이름"]),
        old(alimtalk_replacements="이름"),
        old(job_id="1"),
    ],
)
def test_what_nobody_wrote_is_undecodable(body: str) -> None:
    with pytest.raises(Undecodable):
        decode(body)


def test_the_reason_shows_no_number() -> None:
    with pytest.raises(Undecodable) as refused:
        decode(old(to=1012345678))
    assert "1012345678" not in str(refused.value)
