"""Messages of the messaging queue. Readers ignore unknown fields."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from config.contracts.fields import (
    Undecodable,
    body_fields,
    integer,
    mapping,
    optional_text,
    text,
    uuid,
)

#: The `step` of a QUEUED text that has no message in the queue until its `send_at`.
WAITS_FOR_PROVIDER = "WAITS_FOR_PROVIDER"


class MessageMode(StrEnum):
    """How a text goes out; `both` is an Alimtalk, and an SMS where that cannot be delivered."""

    SMS = "sms"
    ALIMTALK = "alimtalk"
    BOTH = "both"


@dataclass(frozen=True)
class TextJob:
    """Send one text to one recipient. `created_at` is ISO 8601, UTC.

    `job_id` names its row and is the idempotency key. A body without one, as the application
    wrote it before, gets one made of all its other fields, so that a copy is known as a copy.
    """

    job_id: str
    tenant_id: int
    to: str
    text: str
    sender: str
    created_at: str
    message_mode: MessageMode = MessageMode.SMS
    reservation_id: str = ""
    template_id: str = ""
    alimtalk_replacements: dict[str, str] = field(default_factory=dict)


def encode_text_job(job: TextJob) -> str:
    """Return the JSON body of a text's message."""
    return json.dumps(asdict(job), ensure_ascii=False)


def decode_text_job(body: str) -> TextJob:
    """Return the text that a body of the messaging queue holds. Raises: Undecodable."""
    fields = body_fields(body)
    return TextJob(
        job_id=uuid(fields, "job_id") if "job_id" in fields else _id_of(fields),
        tenant_id=integer(fields, "tenant_id"),
        to=text(fields, "to"),
        text=text(fields, "text"),
        sender=text(fields, "sender"),
        created_at=text(fields, "created_at"),
        message_mode=_mode(optional_text(fields, "message_mode") or MessageMode.SMS),
        reservation_id=_reservation(fields),
        template_id=optional_text(fields, "template_id"),
        alimtalk_replacements=_replacements(fields),
    )


def _reservation(fields: dict[str, object]) -> str:
    """The application before numbered its reservations; ours are text."""
    value = fields.get("reservation_id")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return optional_text(fields, "reservation_id")


def _replacements(fields: dict[str, Any]) -> dict[str, str]:
    """The application before wrote `[{"key": "name", "value": "..."}]`; ours is a mapping."""
    value = fields.get("alimtalk_replacements")
    if value is None:
        return {}
    if not isinstance(value, list):
        return {name: str(each) for name, each in mapping(fields, "alimtalk_replacements").items()}
    if not all(isinstance(each, dict) and "key" in each and "value" in each for each in value):
        raise Undecodable("alimtalk_replacements must be a mapping or a list of {key, value}")
    return {str(each["key"]): str(each["value"]) for each in value}


def _mode(value: str) -> MessageMode:
    if value not in tuple(MessageMode):
        allowed = ", ".join(MessageMode)
        raise Undecodable(f"message_mode {value!r} is unknown; allowed: {allowed}")
    return MessageMode(value)


def _id_of(fields: dict[str, object]) -> str:
    canonical = json.dumps(fields, ensure_ascii=False, sort_keys=True)
    return str(uuid5(NAMESPACE_URL, canonical))
