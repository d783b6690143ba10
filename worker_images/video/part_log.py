"""Which parts of a job are done: what the next worker need not do again."""

from __future__ import annotations

import json
from typing import Protocol

from worker_images.base.work import Context
from worker_images.video.facts import PartFacts

_SELECT = "SELECT part, facts FROM video_parts WHERE job_id = %s AND plan = %s"
_INSERT = """
INSERT INTO video_parts (job_id, plan, part, facts) VALUES (%s, %s, %s, %s)
ON CONFLICT (job_id, plan, part) DO UPDATE SET facts = excluded.facts, recorded_at = now()
"""


class PartLog(Protocol):
    """The parts that a job has uploaded, by plan: a part of another plan is of no use."""

    def recorded(self, context: Context, plan: str) -> dict[int, PartFacts]:
        """Return what is recorded of the context's job. Raises: LostClaim."""
        ...

    def record(self, context: Context, plan: str, part: int, facts: PartFacts) -> None:
        """Record a part, all of whose segments are uploaded. Raises: LostClaim."""
        ...


class PostgresPartLog:
    """`PartLog` in the table `video_parts`, fenced by the job's claim."""

    def recorded(self, context: Context, plan: str) -> dict[int, PartFacts]:
        with context.transaction() as cursor:
            cursor.execute(_SELECT, (context.claim.job_id, plan))
            return {part: PartFacts.from_json(facts) for part, facts in cursor.fetchall()}

    def record(self, context: Context, plan: str, part: int, facts: PartFacts) -> None:
        values = (context.claim.job_id, plan, part, json.dumps(facts.to_json()))
        with context.transaction() as cursor:
            cursor.execute(_INSERT, values)
