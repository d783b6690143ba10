"""Titles are known in the spellings that teachers use, wherever the row of titles stands."""

from __future__ import annotations

import pytest

from worker_images.ai.excel.columns import (
    SEARCHED_ROWS,
    NoHeader,
    column_letters,
    find_header,
)


@pytest.mark.parametrize(
    ("title", "field"),
    [
        ("이름", "name"),
        ("학생 이름", "name"),
        ("성명(필수)", "name"),
        ("학생명 *", "name"),
        ("학생", "name"),
        ("Student Name", "name"),
        ("학생 전화", "phone"),
        ("학생전화번호", "phone"),
        ("학생\n연락처", "phone"),
        ("본인 휴대폰", "phone"),
        ("핸드폰 번호", "phone"),
        ("H.P", "phone"),
        ("ＨＰ", "phone"),
        ("부모님 전화", "parent_phone"),
        ("학부모 전화", "parent_phone"),
        ("학부모연락처(모)", "parent_phone"),
        ("보호자 휴대전화", "parent_phone"),
        ("어머니 핸드폰", "parent_phone"),
        ("Parent Phone", "parent_phone"),
        ("학교", "school"),
        ("학교명", "school"),
        ("학년", "grade"),
        ("Grade", "grade"),
    ],
)
def test_a_title_is_known(title: str, field: str) -> None:
    others = {"name": "이름", "phone": "학생 전화"}
    others.pop(field, None)
    header = find_header([("번호", title, *others.values())])
    assert header.columns[field] == 1


@pytest.mark.parametrize(
    "title",
    ["번호", "학생번호", "학부모 이름", "담임", "비고", "전화 상담일", "학교 전화", "", 3.0, None],
)
def test_a_title_that_means_something_else_is_left_out(title: object) -> None:
    header = find_header([("이름", "학생 전화", title)])
    assert 2 not in header.columns.values()


def test_titles_stand_below_a_letterhead_and_anywhere_in_the_row() -> None:
    rows = [("2026 봄 학기", "", ""), (), ("", "학부모 전화", "이름"), ("", "010", "홍길동")]
    header = find_header(rows)
    assert (header.row, header.columns) == (2, {"parent_phone": 1, "name": 2})
    assert header.titles == {"parent_phone": "학부모 전화", "name": "이름"}


def test_the_surest_title_wins_whatever_the_order() -> None:
    header = find_header([("연락처", "학생", "이름", "학생 전화", "아버지 전화", "어머니 전화")])
    assert header.columns == {"name": 2, "phone": 3, "parent_phone": 5}


def test_two_columns_of_one_meaning_are_refused_by_name() -> None:
    with pytest.raises(NoHeader, match=r"B열 '학생 전화', D열 '학생 연락처'") as caught:
        find_header([("이름", "학생 전화", "학년", "학생 연락처")])
    assert caught.value.code == "AMBIGUOUS_HEADER"


@pytest.mark.parametrize(
    ("row", "lack"),
    [
        (("이름", "학교"), "전화번호 열"),
        (("학생 전화", "학교"), "'이름' 열이 없습니다"),
        (("품목", "가격"), "제목을 찾지 못했습니다"),
    ],
)
def test_what_is_missing_is_said(row: tuple[str, ...], lack: str) -> None:
    with pytest.raises(NoHeader, match=lack):
        find_header([row, ("홍길동", "01012345678")])


def test_titles_are_looked_for_near_the_top_alone() -> None:
    titles = ("이름", "전화")
    assert find_header([()] * (SEARCHED_ROWS - 1) + [titles]).row == SEARCHED_ROWS - 1
    with pytest.raises(NoHeader):
        find_header([()] * SEARCHED_ROWS + [titles])


@pytest.mark.parametrize(
    ("index", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")]
)
def test_columns_are_called_as_excel_calls_them(index: int, letters: str) -> None:
    assert column_letters(index) == letters
