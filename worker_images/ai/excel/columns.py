"""Which column of a roster holds what: told by its title, wherever the row of titles stands."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

#: The row of titles is looked for in so many rows; a letterhead stands above it.
SEARCHED_ROWS = 30

NAME, PHONE, PARENT_PHONE, SCHOOL, GRADE = "name", "phone", "parent_phone", "school", "grade"

_IN_BRACKETS = re.compile(r"\(.*?\)|\[.*?\]|<.*?>", re.DOTALL)
_NO_LETTER = re.compile(r"[^0-9a-z가-힣]+")
_TELEPHONE = (
    "(?:전화|전화번호|연락처|휴대폰|핸드폰|휴대전화|폰|hp|tel|phone|mobile|cell)(?:번호|number|no)?"
)
_STUDENT = "(?:학생|본인|원생|수강생|자녀|student)"
_PARENT = "(?:학부모|부모|부모님|학부모님|보호자|parent|parents|guardian)"
#: Per field its titles, the surest first. Two columns of one rank leave it open which is meant.
_TITLES: dict[str, tuple[str, ...]] = {
    NAME: (f"{_STUDENT}?(?:이름|성명|성함|name)|{_STUDENT}명", "학생|원생|수강생|student"),
    PHONE: (f"{_STUDENT}{_TELEPHONE}", _TELEPHONE),
    PARENT_PHONE: (
        f"{_PARENT}{_TELEPHONE}",
        f"(?:어머니|모친|모|엄마|mother){_TELEPHONE}",
        f"(?:아버지|부친|부|아빠|father){_TELEPHONE}",
    ),
    SCHOOL: (f"{_STUDENT}?(?:학교|학교명|학교이름|재학학교|school|schoolname)",),
    GRADE: (f"{_STUDENT}?(?:학년|grade)",),
}
_PATTERNS = {
    field: tuple(re.compile(title) for title in titles) for field, titles in _TITLES.items()
}


class NoHeader(ValueError):  # noqa: N818 - says what the sheet lacks
    """A sheet without usable titles; `code` is for programs, the text for a teacher."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Header:
    """Where the titles stand. `row` counts from 0; `columns` and `titles` are per field."""

    row: int
    columns: dict[str, int]
    titles: dict[str, str]


def find_header(rows: Iterable[Sequence[object]]) -> Header:
    """Return the first row that has a name and a telephone title. Raises: NoHeader."""
    nearest: set[str] = set()
    for number, row in enumerate(islice(rows, SEARCHED_ROWS)):
        found = _fields(row)
        if NAME in found and (PHONE in found or PARENT_PHONE in found):
            columns = {field: _single(field, at, row) for field, at in found.items()}
            titles = {field: _shown(row[at]) for field, at in columns.items()}
            return Header(number, columns, titles)
        nearest = max(nearest, set(found), key=len)
    raise NoHeader("HEADER_NOT_FOUND", _missing(nearest))


def column_letters(index: int) -> str:
    """Return Excel's name of a column that counts from 0: 0 is A, 26 is AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _fields(row: Sequence[object]) -> dict[str, list[int]]:
    """Return per field the columns that claim it with the surest title."""
    best: dict[str, tuple[int, list[int]]] = {}
    for index, value in enumerate(row):
        claim = _claim(value)
        if claim is None:
            continue
        field, rank = claim
        if field not in best or rank < best[field][0]:
            best[field] = (rank, [index])
        elif rank == best[field][0]:
            best[field][1].append(index)
    return {field: columns for field, (_, columns) in best.items()}


def _claim(value: object) -> tuple[str, int] | None:
    if not isinstance(value, str):
        return None
    bare = _IN_BRACKETS.sub("", unicodedata.normalize("NFKC", value).lower())
    title = _NO_LETTER.sub("", bare)
    for field, patterns in _PATTERNS.items():
        for rank, pattern in enumerate(patterns):
            if pattern.fullmatch(title):
                return field, rank
    return None


def _single(field: str, columns: list[int], row: Sequence[object]) -> int:
    if len(columns) > 1:
        named = ", ".join(f"{column_letters(at)}열 '{_shown(row[at])}'" for at in columns)
        raise NoHeader(
            "AMBIGUOUS_HEADER", f"같은 뜻의 열이 여러 개입니다: {named}. 하나만 남겨 주세요."
        )
    return columns[0]


def _shown(value: object) -> str:
    return " ".join(str(value).split())[:40]


def _missing(found: set[str]) -> str:
    if NAME in found:
        lack = "전화번호 열('학생 전화' 또는 '학부모 전화')이 없습니다."
    elif found & {PHONE, PARENT_PHONE}:
        lack = "'이름' 열이 없습니다."
    else:
        lack = (
            f"위쪽 {SEARCHED_ROWS}행에서 '이름', '학생 전화', '학부모 전화' 제목을 찾지 못했습니다."
        )
    return f"{lack} 제목 행에 '이름'과 전화번호 열을 넣어 다시 올려 주세요."
