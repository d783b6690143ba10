"""Rows become students, or say what is wrong with them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker_images.ai.excel.students import Problem, Student, read_student, telephone, text

COLUMNS = {"name": 0, "phone": 1, "parent_phone": 2, "school": 3, "grade": 4}


@pytest.mark.parametrize(
    ("given_value", "digits"),
    [
        ("010-1234-5678", "01012345678"),
        ("010 1234 5678", "01012345678"),
        ("010.1234.5678", "01012345678"),
        ("(010)1234-5678 (모)", "01012345678"),
        ("０１０－１２３４－５６７８", "01012345678"),
        ("+82 10-1234-5678", "01012345678"),
        ("+82-010-1234-5678", "01012345678"),
        ("0082 10 1234 5678", "01012345678"),
        (1012345678, "01012345678"),
        (1012345678.0, "01012345678"),
        ("1012345678", "01012345678"),
        ("011-234-5678", "0112345678"),
        ("02-123-4567", "021234567"),
        (212345678.0, "0212345678"),
        ("031-1234-5678", "03112345678"),
        ("070-1234-5678", "07012345678"),
        ("050-1234-56789", "050123456789"),
        ("", ""),
        ("-", ""),
        (" 없음 ", ""),
        ("N/A", ""),
    ],
)
def test_a_telephone_becomes_digits(given_value: object, digits: str) -> None:
    assert telephone(given_value) == digits


@pytest.mark.parametrize(
    "given_value",
    [
        "010-1234",
        "010-1234-56789",
        "12345678",
        "010-1234-5678 / 010-8765-4321",
        "모름",
        "0",
        3.5,
        True,
    ],
)
def test_what_is_no_telephone_is_refused(given_value: object) -> None:
    with pytest.raises(ValueError, match="전화번호 형식"):
        telephone(given_value)


@given(st.from_regex(r"010[0-9]{8}", fullmatch=True))
def test_a_telephone_that_was_made_uniform_stays_as_it_is(digits: str) -> None:
    found = telephone(digits)
    assert found.isascii()
    assert telephone(found) == found


@given(st.one_of(st.text(), st.floats(), st.integers(), st.booleans(), st.none(), st.dates()))
def test_text_is_one_line_that_postgresql_takes(value: object) -> None:
    found = text(value)
    assert found == text(found) == unicodedata.normalize("NFC", found).strip()
    assert not set(found) & set("\t\n\r\0\x0b\x1c\x85\u2028")


@given(st.lists(st.one_of(st.text(), st.floats(), st.integers(), st.booleans()), max_size=7))
def test_every_row_is_a_student_a_list_of_problems_or_empty(row: list[object]) -> None:
    found = read_student(row, COLUMNS)
    if isinstance(found, Student):
        assert found.name
        assert found.phone or found.parent_phone
        assert max(map(len, found)) <= 50
    else:
        assert found is None or found


def test_a_row_may_be_shorter_than_its_titles_and_columns_stand_anywhere() -> None:
    assert read_student(["", "홍길동", "01012345678"], {"name": 1, "phone": 2, "grade": 9}) == (
        Student("홍길동", "01012345678", "", "", "")
    )


def test_composed_letters_and_single_blanks_make_one_student_of_two_spellings() -> None:
    split = unicodedata.normalize("NFD", "홍길동")
    row = [f"\ufeff {split}  B ", "01012345678", "", " 한빛\n고 ", 2.0]
    assert read_student(row, COLUMNS) == Student("홍길동 B", "01012345678", "", "한빛 고", "2")


def test_everything_that_is_wrong_with_a_row_is_told() -> None:
    problems = read_student(["", "010-12", "모름", "가" * 51, ""], COLUMNS)
    assert [problem.field for problem in problems or ()] == [
        "phone",
        "parent_phone",
        "school",
        "name",
    ]


def test_a_bad_telephone_is_no_missing_one() -> None:
    assert read_student(["홍길동", "010-12", "", "", ""], COLUMNS) == [
        Problem("phone", "010-12", "전화번호 형식이 아닙니다. 예: 010-1234-5678")
    ]


def test_without_both_telephones_a_student_cannot_be_told_apart() -> None:
    (problem,) = read_student(["홍길동", "-", "없음", "", ""], COLUMNS) or ()
    assert "모두 비어" in problem.reason


@pytest.mark.parametrize("row", [[], ["", "", "", "", ""], ["  ", "-", "없음", "", ""]])
def test_an_empty_row_is_nobody(row: list[object]) -> None:
    assert read_student(row, COLUMNS) is None
