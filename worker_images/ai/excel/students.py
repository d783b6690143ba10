"""What a row of a roster says of a student, made uniform, or what is wrong with it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from worker_images.ai.excel.columns import GRADE, NAME, PARENT_PHONE, PHONE, SCHOOL

MAX_CHARACTERS = 50

#: Mobiles and landlines, 070 and 050 among them.
_TELEPHONE = re.compile(
    r"010\d{8}|01[16-9]\d{7,8}|02\d{7,8}|0[3-6][1-5]\d{7,8}|070\d{8}|050\d{8,9}", re.ASCII
)
#: How nearly every number is written; it takes a third of the time of the way around.
_USUAL = re.compile(r"(010)-?([0-9]{4})-?([0-9]{4})")
_NO_DIGIT = re.compile(r"[^0-9]+")
#: What people write where there is no number.
_NONE = frozenset(("", "-", "--", ".", "x", "없음", "무", "해당없음", "n/a", "na", "none"))

_NO_NAME = "이름이 비어 있습니다."
_NO_PHONE = "학생 전화와 학부모 전화가 모두 비어 있습니다. 하나는 있어야 합니다."
_BAD_PHONE = "전화번호 형식이 아닙니다. 예: 010-1234-5678"
_TOO_LONG = f"{MAX_CHARACTERS}자를 넘습니다."


class Student(NamedTuple):
    """One student; phones hold digits alone, "" stands for none."""

    name: str
    phone: str
    parent_phone: str
    school: str
    grade: str


class Problem(NamedTuple):
    """What is wrong with a cell of a row: the field, what it holds, and the reason in Korean."""

    field: str
    value: str
    reason: str


def read_student(
    row: Sequence[object], columns: Mapping[str, int]
) -> Student | list[Problem] | None:
    """Return the row's student, or everything that is wrong with the row; None for an empty row.

    `columns` says where each field stands; a row may be shorter than its titles.
    """
    problems: list[Problem] = []
    values: list[str] = []
    for field, read in _READERS:
        at = columns.get(field)
        cell = row[at] if at is not None and at < len(row) else ""
        try:
            values.append(read(cell))
        except ValueError as error:
            values.append(text(cell))
            problems.append(Problem(field, values[-1][:MAX_CHARACTERS], str(error)))
    student = Student(*values)
    if not any(student):
        return None
    if not student.name:
        problems.append(Problem(NAME, "", _NO_NAME))
    if not student.phone and not student.parent_phone:
        problems.append(Problem(PHONE if PHONE in columns else PARENT_PHONE, "", _NO_PHONE))
    return problems or student


def text(value: object) -> str:
    """Return a cell's text on one line: 2.0 is `2`, letters are composed (macOS splits them)."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    found = unicodedata.normalize("NFC", str(value))
    if not found.isprintable():
        found = "".join(_printable(character) for character in found)
    return " ".join(found.split())


def _printable(character: str) -> str:
    """Drop what has no width, such as a byte order mark; other separators become a space."""
    category = unicodedata.category(character)
    if category == "Cf":
        return ""
    return " " if category[0] in "CZ" else character


def telephone(value: object) -> str:
    """Return a number's digits; "" for none. Raises: ValueError for what is no Korean number.

    A cell that holds a number has lost its leading 0, and +82 stands for it.
    """
    if isinstance(value, str) and (usual := _USUAL.fullmatch(value)):
        return "".join(usual.groups())
    given = text(value)
    digits = _NO_DIGIT.sub("", unicodedata.normalize("NFKC", given))
    if not digits and given.lower() in _NONE:
        return ""
    for candidate in (digits, f"0{digits}", *_without_country(digits)):
        if _TELEPHONE.fullmatch(candidate):
            return candidate
    raise ValueError(_BAD_PHONE)


def _without_country(digits: str) -> tuple[str, ...]:
    for prefix in ("0082", "82"):
        if digits.startswith(prefix):
            return ("0" + digits.removeprefix(prefix).removeprefix("0"),)
    return ()


def _short_text(value: object) -> str:
    found = text(value)
    if len(found) > MAX_CHARACTERS:
        raise ValueError(_TOO_LONG)
    return found


#: In the order of a Student's fields.
_READERS: tuple[tuple[str, Callable[[object], str]], ...] = (
    (NAME, _short_text),
    (PHONE, telephone),
    (PARENT_PHONE, telephone),
    (SCHOOL, _short_text),
    (GRADE, _short_text),
)
