"""Korean telephone numbers as providers want them: digits alone, with the leading 0."""

from __future__ import annotations

import re

#: Mobiles, and the 050 numbers that forward to one.
_RECIPIENT = re.compile(r"010\d{8}|01[16789]\d{7,8}|050\d{8,9}", re.ASCII)
#: Besides those, what an institution is called at: area codes, 070, 080, and 15xx to 18xx.
_SENDER = re.compile(
    rf"{_RECIPIENT.pattern}|02\d{{7,8}}|0[3-6]\d\d{{7,8}}|070\d{{8}}|080\d{{7,8}}|1[5-8]\d{{6}}",
    re.ASCII,
)
_SEPARATORS = re.compile(r"[\s().-]")
#: What may be a number inside a sentence, with or without its separators.
_ANY = re.compile(r"\+?\d[\d-]{7,14}\d")
_KOREA = re.compile(r"(?:\+|00)820?")


class NotANumber(ValueError):  # noqa: N818 - says what the value is
    """A value that is no number to send to or from; the message says what is allowed."""


def recipient(value: str) -> str:
    """Return a number that can receive texts: `+82 10-1234-5678` is 01012345678.

    Raises: NotANumber.
    """
    digits = _digits(value)
    if not _RECIPIENT.fullmatch(digits):
        raise NotANumber(
            f"{value!r}: 문자를 받을 수 있는 휴대전화 번호가 아닙니다. 예: 01012345678"
        )
    return digits


def sender(value: str) -> str:
    """Return a number that texts can come from. Whether it is registered, the provider says.

    Raises: NotANumber.
    """
    digits = _digits(value)
    if not _SENDER.fullmatch(digits):
        raise NotANumber(f"{value!r}: 발신번호 형식이 아닙니다. 예: 0212345678, 15881234")
    return digits


def masked(number: str) -> str:
    """Return a number of which only the ends can be read, for logs."""
    return f"{number[:3]}{'*' * max(0, len(number) - 5)}{number[-2:]}" if len(number) > 5 else "***"


def mask_all(sentence: str) -> str:
    """Return a sentence in which no number can be read, for logs."""
    return _ANY.sub(lambda found: masked(found[0]), sentence)


def _digits(value: str) -> str:
    bare = _SEPARATORS.sub("", value)
    return _KOREA.sub("0", bare, count=1) if _KOREA.match(bare) else bare
