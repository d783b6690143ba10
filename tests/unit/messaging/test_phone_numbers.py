"""Numbers as providers want them, and as logs may show them."""

from __future__ import annotations

import pytest

from config.contracts.phone_numbers import NotANumber, mask_all, masked, recipient, sender


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("01012345678", "01012345678"),
        ("010-1234-5678", "01012345678"),
        (" (010) 1234.5678 ", "01012345678"),
        ("+82 10-1234-5678", "01012345678"),
        ("0082 010 1234 5678", "01012345678"),
        ("0111234567", "0111234567"),
        ("0504-1234-5678", "050412345678"),
    ],
)
def test_a_mobile_number_is_digits_alone(value: str, number: str) -> None:
    assert recipient(value) == number


@pytest.mark.parametrize(
    "value", ["", "02-123-4567", "1588-1234", "010-1234-567", "010123456789", "+1 212 555 0100",
              "010-1234-567a", "０１０１２３４５６７８", "010１２３４５６７８"],
)  # fmt: skip
def test_what_cannot_receive_a_text_is_refused(value: str) -> None:
    with pytest.raises(NotANumber, match="휴대전화"):
        recipient(value)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("02-123-4567", "021234567"),
        ("031-1234-5678", "03112345678"),
        ("1588-1234", "15881234"),
        ("070-1234-5678", "07012345678"),
        ("+82-2-123-4567", "021234567"),
        ("010-1234-5678", "01012345678"),
    ],
)
def test_an_institution_may_send_from_its_own_numbers(value: str, number: str) -> None:
    assert sender(value) == number


@pytest.mark.parametrize("value", ["", "114", "1234567", "00000000000"])
def test_what_is_no_senders_number_is_refused(value: str) -> None:
    with pytest.raises(NotANumber, match="발신번호"):
        sender(value)


@pytest.mark.parametrize(
    ("number", "shown"),
    [("01012345678", "010******78"), ("15881234", "158***34"), ("119", "***"), ("", "***")],
)
def test_a_log_shows_the_ends_of_a_number(number: str, shown: str) -> None:
    assert masked(number) == shown


def test_a_sentence_keeps_no_number() -> None:
    shown = mask_all("to 010-1234-5678 and 01087654321, code 1062")
    assert shown == "to 010********78 and 010******21, code 1062"
