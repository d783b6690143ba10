"""A text's row, where a worker writes to it other than by its claim's transitions.

Columns used (owned by the API's migrations): `text_messages(id, tenant_id, reservation_id,
recipient, sender, text, mode, template_id, replacements jsonb, state, step, send_at)`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from config.contracts.text_messages import WAITS_FOR_PROVIDER, TextJob

_ADOPT = """
INSERT INTO text_messages (id, tenant_id, reservation_id, recipient, sender, text, mode,
                           template_id, replacements, state)
SELECT %(id)s, %(tenant_id)s, %(reservation_id)s, %(to)s, %(sender)s, %(text)s, %(mode)s,
       %(template_id)s, %(replacements)s::jsonb, CASE WHEN %(reservation_id)s <> '' AND EXISTS (
           SELECT 1 FROM text_messages WHERE tenant_id = %(tenant_id)s
           AND reservation_id = %(reservation_id)s AND state = 'CANCELLED'
       ) THEN 'CANCELLED' ELSE 'QUEUED' END
ON CONFLICT (id) DO NOTHING
"""
_PARK = """
UPDATE text_messages SET step = %(step)s, send_at = now() + make_interval(secs => %(delay_s)s)
WHERE id = %(id)s AND state = 'QUEUED' RETURNING id
"""


@dataclass(frozen=True)
class TextRows:
    """`cursor` yields a cursor whose statements commit by themselves."""

    cursor: Callable[[], AbstractContextManager[Any]]

    def adopt(self, job: TextJob) -> None:
        """Create the row of a text that came without one; a cancelled reservation's is CANCELLED.

        A copy of its message finds the row that the first one made.
        """
        with self.cursor() as cursor:
            cursor.execute(
                _ADOPT,
                {
                    "id": job.job_id,
                    "tenant_id": job.tenant_id,
                    "reservation_id": job.reservation_id,
                    "to": job.to,
                    "sender": job.sender,
                    "text": job.text,
                    "mode": str(job.message_mode),
                    "template_id": job.template_id,
                    "replacements": json.dumps(job.alimtalk_replacements, ensure_ascii=False),
                },
            )

    def park(self, job_id: str, delay_s: float) -> bool:
        """Let a QUEUED text wait in the database for `delay_s`; the API's scheduler queues it then.

        False when it is not QUEUED any more.
        """
        parameters = {"id": job_id, "step": WAITS_FOR_PROVIDER, "delay_s": delay_s}
        with self.cursor() as cursor:
            cursor.execute(_PARK, parameters)
            return cursor.fetchone() is not None
