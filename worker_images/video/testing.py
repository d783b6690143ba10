"""Fakes of the video worker's own ports."""

from __future__ import annotations

import json

from worker_images.base.work import Context
from worker_images.video.facts import PartFacts


class MemoryPartLog:
    """`PartLog` in memory, as JSON would keep it. `recorded_parts` lists every record made."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, int], str] = {}
        self.recorded_parts: list[int] = []

    def recorded(self, context: Context, plan: str) -> dict[int, PartFacts]:
        return {
            part: PartFacts.from_json(json.loads(facts))
            for (job_id, of_plan, part), facts in self.rows.items()
            if (job_id, of_plan) == (context.claim.job_id, plan)
        }

    def record(self, context: Context, plan: str, part: int, facts: PartFacts) -> None:
        self.rows[context.claim.job_id, plan, part] = json.dumps(facts.to_json())
        self.recorded_parts.append(part)
