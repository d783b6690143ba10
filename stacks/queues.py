"""The documented queues."""

from __future__ import annotations

from constructs import Construct

from config import models
from config.contracts.queues import BY_KEY
from config.model_workers import QueueKey
from stacks.constructs.job_queue import JobQueue
from stacks.constructs.platform_stack import Place, PlatformStack


class QueuesStack(PlatformStack):
    """One `JobQueue` a configured queue. Stateful: a message in them is somebody's lecture."""

    def __init__(
        self, scope: Construct, *, place: Place, queues: dict[QueueKey, models.Queue]
    ) -> None:
        super().__init__(scope, "queues", place, stateful=True)
        self.job_queues = {
            str(key): JobQueue(
                self,
                key.title().replace("_", ""),
                contract=BY_KEY[key],
                place=place,
                visibility_timeout_s=queue.visibility_timeout_s,
                attempts=queue.attempts,
            )
            for key, queue in queues.items()
        }
