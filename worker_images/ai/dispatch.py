"""Which handler runs a job: by its type, where its tier may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from config.contracts.ai_jobs import JOB_TYPES, AiJob
from worker_images.base.errors import BadInput
from worker_images.base.work import Context, Handler, Result


@dataclass(frozen=True)
class Dispatch:
    """The handler of every AI job. `handlers` has one for each type of the contract."""

    handlers: Mapping[str, Handler]

    def __call__(self, job: AiJob, context: Context) -> Result:
        """Run a job. Raises: BadInput for an unknown type or a tier that may not run it."""
        tiers = JOB_TYPES.get(job.job_type)
        if tiers is None or job.job_type not in self.handlers:
            allowed = ", ".join(sorted(self.handlers))
            raise BadInput(
                "UNKNOWN_JOB_TYPE",
                f"job_type: '{job.job_type}' 작업은 처리할 수 없습니다. 허용: {allowed}",
            )
        if job.tier not in tiers:
            raise BadInput(
                "TIER_NOT_ALLOWED",
                f"tier: '{job.tier}' 등급은 {job.job_type} 작업을 처리할 수 없습니다. "
                f"허용: {', '.join(tiers)}",
            )
        return self.handlers[job.job_type](job, context)
