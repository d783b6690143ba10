"""Texts to students and parents: taken once, kept in one reservation, cancelled while they wait.

A row and its message are one transaction; the relay sends the message. A scheduled text has no
message before its time, see texts_schedule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import Count, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from config.contracts.states import TextState
from config.contracts.text_messages import MessageMode, TextJob, encode_text_job
from worker_images.api.errors import Conflict
from worker_images.api.models import OutboxEntry, TextMessage
from worker_images.base.logging import logger

_log = logger("texts")
MESSAGING_QUEUE = "messaging"
#: States in which nothing has been handed to a provider.
CANCELLABLE = (TextState.SCHEDULED, TextState.QUEUED)
_REUSED = "같은 idempotency_key 로 다른 내용의 요청이 이미 접수되었습니다."


@dataclass(frozen=True)
class Recipient:
    """Whom a text goes to, and the text as that person reads it: filled in, checked."""

    to: str
    text: str
    replacements: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Order:
    """One call's texts. `reservation_id` "" lets a new one be made; `send_at` None is now."""

    tenant_id: int
    idempotency_key: str
    recipients: Sequence[Recipient]
    sender: str
    mode: MessageMode
    template_id: str = ""
    reservation_id: str = ""
    send_at: datetime | None = None


@transaction.atomic
def accept(order: Order) -> list[TextMessage]:
    """Return the texts of an order, in the order of its recipients.

    The same call again is answered with the texts that it made; calls with one key wait for each
    other. Raises: Conflict when the key belongs to another order.
    """
    _lock(order)
    found = list(
        TextMessage.objects.filter(
            tenant_id=order.tenant_id, idempotency_key__in=_keys(order, len(order.recipients) + 1)
        )
    )
    if not found:
        _write(order)
        return _ordered(order)
    if len(found) != len(order.recipients):
        raise Conflict("IDEMPOTENCY_KEY_REUSED", _REUSED)
    texts = _ordered(order)
    pairs = zip(texts, order.recipients, strict=True)
    if not all(_same(text, order, recipient) for text, recipient in pairs):
        raise Conflict("IDEMPOTENCY_KEY_REUSED", _REUSED)
    return texts


def write_messages(texts: Sequence[TextMessage]) -> None:
    """Write the messages that hand texts to the workers, in the caller's transaction."""
    OutboxEntry.objects.bulk_create(
        OutboxEntry(queue=MESSAGING_QUEUE, body=_body(text), job_id=text.pk) for text in texts
    )


def cancel(tenant_id: int, reservation_id: str) -> dict[str, int] | None:
    """Cancel what nobody has begun to send; return how many texts are in which state then.

    None when there is no such reservation. A cancelled text whose message is in the queue already
    stays cancelled: workers claim nothing but QUEUED rows.
    """
    mine = _reservation(tenant_id, reservation_id)
    cancelled = mine.filter(state__in=CANCELLABLE).update(
        state=TextState.CANCELLED, step="", finished_at=Now(), updated_at=Now()
    )
    counts = dict(mine.values_list("state").annotate(Count("pk")))
    if not counts:
        return None
    _log.info("reservation cancelled", reservation_id=reservation_id, cancelled=cancelled)
    return {"cancelled_now": cancelled, **{state: counts.get(state, 0) for state in TextState}}


def find(tenant_id: int, text_id: UUID) -> TextMessage | None:
    """Return a tenant's text."""
    return TextMessage.objects.filter(tenant_id=tenant_id, pk=text_id).first()


def _reservation(tenant_id: int, reservation_id: str) -> QuerySet[TextMessage]:
    return TextMessage.objects.filter(tenant_id=tenant_id, reservation_id=reservation_id)


def _write(order: Order) -> None:
    now = timezone.now()
    waits = order.send_at is not None and order.send_at > now
    reservation_id = order.reservation_id or str(uuid4())
    keys = _keys(order, len(order.recipients))
    texts = [
        TextMessage(
            id=uuid4(),
            tenant_id=order.tenant_id,
            idempotency_key=key,
            reservation_id=reservation_id,
            recipient=recipient.to,
            sender=order.sender,
            text=recipient.text,
            mode=order.mode.value,
            template_id=order.template_id,
            replacements=dict(recipient.replacements),
            send_at=order.send_at,
            state=(TextState.SCHEDULED if waits else TextState.QUEUED).value,
            created_at=now,
        )
        for key, recipient in zip(keys, order.recipients, strict=True)
    ]
    TextMessage.objects.bulk_create(texts)
    if not waits:
        write_messages(texts)
    _log.info("texts taken", count=len(texts), scheduled=waits, reservation_id=reservation_id)


def _ordered(order: Order) -> list[TextMessage]:
    """Return an order's texts as the database has them, as its recipients stand."""
    keys = _keys(order, len(order.recipients))
    found = TextMessage.objects.filter(tenant_id=order.tenant_id, idempotency_key__in=keys)
    by_key = {text.idempotency_key: text for text in found}
    return [by_key[key] for key in keys]


def _keys(order: Order, count: int) -> list[str]:
    """Return the keys of an order's texts: its own, and the place in its list of recipients."""
    return [f"{order.idempotency_key}#{place}" for place in range(count)]


def _same(text: TextMessage, order: Order, recipient: Recipient) -> bool:
    """Whether a text is what an order asks for; when it goes out may have changed since."""
    reserved = order.reservation_id in ("", text.reservation_id)
    was = (text.recipient, text.text, text.sender, text.mode, text.template_id)
    asked = (recipient.to, recipient.text, order.sender, order.mode.value, order.template_id)
    return reserved and was == asked


def _body(text: TextMessage) -> str:
    return encode_text_job(
        TextJob(
            job_id=str(text.pk),
            tenant_id=text.tenant_id,
            to=text.recipient,
            text=text.text,
            sender=text.sender,
            created_at=text.created_at.isoformat(),
            message_mode=MessageMode(text.mode),
            reservation_id=text.reservation_id,
            template_id=text.template_id,
            alimtalk_replacements=text.replacements,
        )
    )


def _lock(order: Order) -> None:
    """Hold the key until the transaction ends."""
    name = f"text_messages:{order.tenant_id}:{order.idempotency_key}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
