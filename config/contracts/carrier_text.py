"""How Korean carriers read a text: its characters, its length in bytes, and SMS or LMS.

Carriers count bytes of EUC-KR with Microsoft's extension (code page 949): a Latin letter one, a
Hangul syllable two. Python's own `euc_kr` writes the syllables of the extension in eight.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum

#: https://smartsms.aligo.in/admin/api/spec.html
SMS_BYTES = 90
LMS_BYTES = 2000
#: Of the template with its values: https://kakaobusiness.gitbook.io/main/ad/infotalk/content-guide
ALIMTALK_CHARACTERS = 1000
_ENCODING = "cp949"
_PLACEHOLDER = re.compile(r"#\{([^{}]+)\}")
#: Characters outside the code page that people's keyboards and word processors put in, and what
#: reads the same inside it.
_SAME_READING = str.maketrans(
    {"₩": "￦", "\u00a0": " ", "–": "-", "—": "―", "•": "·", "\u200b": "", "\ufeff": ""}
)


class TextKind(StrEnum):
    """What a text is sent as, by its length."""

    SMS = "SMS"
    LMS = "LMS"


class Unsendable(ValueError):  # noqa: N818 - says what the text is
    """A text that no carrier takes; the message says why, in Korean, for whoever wrote it."""


def fill(text: str, replacements: Mapping[str, str]) -> str:
    """Return the text with every `#{name}` of `replacements` filled in, and only those.

    Names may come with their `#{}` or without.
    """
    values = {name.removeprefix("#{").removesuffix("}"): v for name, v in replacements.items()}
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


def tidy(text: str) -> str:
    """Return the text as it goes out: composed syllables, plain line ends, known characters."""
    composed = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    return composed.translate(_SAME_READING)


def carrier_bytes(text: str) -> int:
    """Return a text's length as carriers count it. Raises: Unsendable naming the characters."""
    try:
        return len(text.encode(_ENCODING))
    except UnicodeEncodeError:
        strange = sorted({each for each in text if not _known(each)})
        raise Unsendable(
            f"문자로 보낼 수 없는 글자가 있습니다: {' '.join(strange)} (이모지와 일부 특수문자는 "
            "이동통신사가 지원하지 않습니다)"
        ) from None


def kind_of(text: str) -> TextKind:
    """Return SMS up to 90 bytes and LMS up to 2000.

    Raises: Unsendable for an unknown character, a text that is empty, too long, or still holds
    a `#{name}`.
    """
    _check_filled(text)
    length = carrier_bytes(text)
    if length > LMS_BYTES:
        raise Unsendable(f"내용이 {length} 바이트입니다. 최대 {LMS_BYTES} 바이트까지 가능합니다.")
    return TextKind.SMS if length <= SMS_BYTES else TextKind.LMS


def check_alimtalk(text: str) -> None:
    """Raise Unsendable for what is no Alimtalk: empty, over 1000 characters, or a `#{name}` left.

    Any character may stand in it: Kakao delivers it, no carrier.
    """
    _check_filled(text)
    if len(text) > ALIMTALK_CHARACTERS:
        raise Unsendable(
            f"내용이 {len(text)} 자입니다. 알림톡은 최대 {ALIMTALK_CHARACTERS} 자까지 가능합니다."
        )


def _check_filled(text: str) -> None:
    unfilled = _PLACEHOLDER.findall(text)
    if unfilled:
        raise Unsendable(f"값이 채워지지 않은 항목이 있습니다: {', '.join(unfilled)}")
    if not text.strip():
        raise Unsendable("내용이 비어 있습니다.")


def _known(character: str) -> bool:
    try:
        character.encode(_ENCODING)
    except UnicodeEncodeError:
        return False
    return True
