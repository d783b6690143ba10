"""Fresh copies of messages, written to the API's outbox; its relay sends them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from worker_images.base.queue import Message
from worker_images.base.status_sql import COPY_MESSAGE


class Outbox:
    """Writes to the table of worker_images.api.models.OutboxEntry."""

    def __init__(self, cursor: Callable[[], AbstractContextManager[Any]]) -> None:
        self._cursor = cursor

    def copy(self, message: Message, job_id: str | None) -> None:
        """Have the same body sent to the same queue once more."""
        entry = {"queue": message.queue, "body": message.body, "job_id": job_id}
        with self._cursor() as cursor:
            cursor.execute(COPY_MESSAGE, entry)
