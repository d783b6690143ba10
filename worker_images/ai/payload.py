"""Reading a job's payload: every refusal names the field, its value and what is allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from worker_images.base.errors import BadInput

_SHOWN_CHARACTERS = 80


@dataclass(frozen=True)
class Payload:
    """The fields of a job. Each method raises BadInput, in Korean, for what is not allowed."""

    fields: Mapping[str, Any]

    def text(self, name: str) -> str:
        """Return a field that must be a non-empty string."""
        value = self.fields.get(name)
        if not isinstance(value, str) or not value.strip():
            raise refused(name, value, "비어 있지 않은 문자열")
        return value

    def file_key(self, prefix: str) -> str:
        """Return `file_key`, an object's key below `prefix`: nobody reads another tenant's file."""
        key = self.text("file_key")
        if not key.startswith(prefix) or key == prefix:
            raise refused("file_key", key, f"{prefix}(으)로 시작하는 키")
        return key

    def integer(
        self, name: str, *, least: int, most: int | None = None, default: int | None = None
    ) -> int:
        """Return a whole number from `least` to `most`; `default` where the field is absent."""
        value = self.fields.get(name, default)
        allowed = f"{least} 이상의 정수" if most is None else f"{least}~{most} 사이의 정수"
        if not _whole(value) or value < least or (most is not None and value > most):
            raise refused(name, value, allowed)
        return int(value)

    def one_of(self, name: str, allowed: Sequence[str], *, default: str) -> str:
        """Return a field that must be one of `allowed`; `default` where it is absent."""
        value = self.fields.get(name, default)
        if value not in allowed:
            raise refused(name, value, ", ".join(allowed))
        return str(value)

    def integers(self, name: str, *, count: int, least: int, most: int) -> list[int] | None:
        """Return a list of `count` whole numbers from `least` to `most`, None where it is absent
        or null.
        """
        values = self.fields.get(name)
        if values is None:
            return None
        if not isinstance(values, list) or len(values) != count:
            found = f"{len(values)}개" if isinstance(values, list) else values
            raise refused(name, found, f"정수 {count}개의 목록")
        for place, value in enumerate(values):
            if not _whole(value) or not least <= value <= most:
                raise refused(f"{name}[{place}]", value, f"{least}~{most} 사이의 정수")
        return values


def refused(name: str, value: object, allowed: str) -> BadInput:
    """Return the refusal of a field's value."""
    shown = str(value)[:_SHOWN_CHARACTERS]
    return BadInput("BAD_PAYLOAD", f"{name}: '{shown}' 값은 사용할 수 없습니다. 허용: {allowed}")


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
