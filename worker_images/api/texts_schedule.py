"""Texts whose time has come: each is queued once, whoever looks."""

from __future__ import annotations

from threading import Event

from django.db import DatabaseError, connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from config.contracts.states import TextState
from config.contracts.text_messages import WAITS_FOR_PROVIDER
from worker_images.api.models import TextMessage
from worker_images.api.texts import write_messages
from worker_images.base.logging import logger

_log = logger("texts")
#: Seconds between two looks.
EVERY_S = 1.0
_BATCH = 200


@transaction.atomic
def queue_due() -> int:
    """Queue texts whose `send_at` has come, and return how many; a few at a time, oldest first.

    A row that another process or a cancellation holds is left to it.
    """
    waiting = Q(state=TextState.SCHEDULED) | Q(step=WAITS_FOR_PROVIDER)
    due = list(
        TextMessage.objects.select_for_update(skip_locked=True)
        .filter(waiting, state__in=(TextState.SCHEDULED, TextState.QUEUED), send_at__lte=Now())
        .order_by("send_at")[:_BATCH]
    )
    if due:
        TextMessage.objects.filter(pk__in=[text.pk for text in due]).update(
            state=TextState.QUEUED, step="", updated_at=Now()
        )
        write_messages(due)
    return len(due)


def queue_until(stop: Event) -> None:
    """Queue what is due, each second, until `stop` is set; a lost database is asked again."""
    failing = False
    while not stop.is_set():
        try:
            queued = queue_due()
            if queued:
                _log.info("texts whose time has come", count=queued)
            failing = False
        except DatabaseError as error:
            connection.close()
            if not failing:
                _log.error("scheduled texts not looked for", reason=str(error))
            failing, queued = True, 0
        if queued < _BATCH:
            stop.wait(EVERY_S)
