"""What a text is to a carrier: its bytes, its kind, and what no carrier shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.contracts.carrier_text import (
    TextKind,
    Unsendable,
    carrier_bytes,
    check_alimtalk,
    fill,
    kind_of,
    tidy,
)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("a", 1),
        ("가", 2),
        ("가a", 3),
        ("\n", 1),
        # Python's euc_kr writes each of these in eight bytes; carriers count two.
        ("됬", 2),
        ("펲", 2),
        ("①“…￦", 8),
    ],
)
def test_bytes_are_counted_as_carriers_do(text: str, length: int) -> None:
    assert carrier_bytes(text) == length


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a", TextKind.SMS),
        ("가" * 45, TextKind.SMS),
        ("a" * 90, TextKind.SMS),
        ("가" * 45 + "a", TextKind.LMS),
        ("가" * 1000, TextKind.LMS),
    ],
)
def test_a_text_of_up_to_90_bytes_is_an_sms(text: str, kind: TextKind) -> None:
    assert kind_of(text) == kind


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "비어"),
        (" \n", "비어"),
        ("가" * 1000 + "a", "2001 바이트"),
        ("축하 😀 🎉", "🎉 😀"),
        ("#{이름} 학생", "이름"),
    ],
)
def test_what_no_carrier_takes_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(Unsendable, match=reason):
        kind_of(text)


def test_characters_that_read_the_same_are_put_in() -> None:
    assert tidy("₩3,000 – 4,000\r\n•\u00a0끝\u200b") == "￦3,000 - 4,000\n· 끝"
    assert kind_of(tidy("₩3,000 – 4,000")) is TextKind.SMS


def test_syllables_in_parts_are_composed() -> None:
    apart = "한"
    assert tidy(apart) == "한"
    assert carrier_bytes(tidy(apart)) == 2


def test_an_alimtalk_may_hold_any_character_and_a_thousand_of_them() -> None:
    check_alimtalk("😀" * 1000)
    with pytest.raises(Unsendable, match="1001 자"):
        check_alimtalk("가" * 1001)


def test_names_are_filled_in_with_or_without_their_marks() -> None:
    assert fill("#{이름}님 #{날짜}", {"이름": "민수", "#{날짜}": "3월"}) == "민수님 3월"


def test_a_value_is_never_filled_in_itself() -> None:
    assert fill("#{a}#{b}", {"a": "#{b}", "b": "x"}) == "#{b}x"


@given(st.text(alphabet=st.characters(codec="cp949"), max_size=200))
def test_every_text_of_the_code_page_has_a_length(text: str) -> None:
    assert len(text) <= carrier_bytes(text) <= 2 * len(text)
