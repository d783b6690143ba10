"""Text messages to students and parents, and how the providers fare."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from config.contracts.states import OPEN_TEXT_STATES, TextState
from worker_images.api.models.leased import LeasedJob

#: States in which a text's `send_at` may still have to come.
_TIMED = [TextState.SCHEDULED.value, TextState.QUEUED.value]


class TextMessage(LeasedJob):
    """One message to one recipient. It is handed to a provider at most once.

    `idempotency_key` is the caller's; a tenant uses one once, an empty one is nobody's. A message
    with `send_at` waits SCHEDULED until then. One that waits for its provider is QUEUED with the
    step WAITS_FOR_PROVIDER until its `send_at`, and has no message in the queue.
    `provider_reference` is the provider's own id.
    """

    tenant_id = models.BigIntegerField()
    idempotency_key = models.TextField(db_default="")
    reservation_id = models.TextField(db_default="")
    recipient = models.TextField()
    sender = models.TextField()
    text = models.TextField()
    mode = models.TextField()
    template_id = models.TextField(db_default="")
    replacements = models.JSONField(db_default=models.Value({}, models.JSONField()))
    send_at = models.DateTimeField(null=True)
    state = models.TextField(db_default=TextState.QUEUED.value)
    channel = models.TextField(db_default="")
    provider = models.TextField(db_default="")
    provider_reference = models.TextField(db_default="")

    class Meta:
        db_table = "text_messages"
        indexes: ClassVar = [
            models.Index(
                fields=["send_at"],
                condition=models.Q(state__in=_TIMED),
                name="text_timed",
            ),
            models.Index(
                fields=["state", "lease_expires_at"],
                condition=models.Q(state__in=[state.value for state in OPEN_TEXT_STATES]),
                name="text_open",
            ),
            models.Index(
                fields=["-finished_at"],
                condition=models.Q(state=TextState.SENT.value, attempt=1),
                name="text_first_try",
            ),
            models.Index(fields=["tenant_id", "reservation_id"], name="text_reservation"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant_id", "idempotency_key"],
                condition=~models.Q(idempotency_key=""),
                name="text_once",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in TextState]),
                name="text_state_known",
            ),
        ]


class ProviderCircuit(models.Model):
    """Whether a provider answers, shared by all workers: open until `open_until`, told once."""

    provider = models.TextField(primary_key=True)
    failures = models.IntegerField(db_default=0)
    open_until = models.DateTimeField(null=True)
    alerted_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "provider_circuits"
