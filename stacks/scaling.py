"""The metric function that makes fleets grow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from constructs import Construct

from config.settings import Settings
from stacks.constructs.backlog_metric import BacklogMetric, Fleet
from stacks.constructs.foundation import Foundation
from stacks.constructs.platform_stack import Place, PlatformStack

if TYPE_CHECKING:
    from stacks.api import ApiStack
    from stacks.workers import WorkerStack


class ScalingStack(PlatformStack):
    """The function, its schedule and the alarm on its silence."""

    def __init__(
        self,
        scope: Construct,
        *,
        place: Place,
        settings: Settings,
        base: Foundation,
        api: ApiStack,
        workers: Sequence[WorkerStack],
    ) -> None:
        super().__init__(scope, "scaling", place)
        self.workers = workers
        for stack in workers:
            self.add_stack_dependency(stack)
        self.metric = BacklogMetric(
            self,
            "Backlog",
            place=place,
            api_base_url=api.entry.base_url,
            internal_key=base.api_environment.secret("LAMBDA_INTERNAL_API_KEY"),
            job_queues=base.job_queues,
            fleets=[
                Fleet(
                    kind=kind,
                    queues=worker.queues,
                    minimum=worker.min_instances,
                    maximum=worker.max_instances,
                )
                for kind, worker in settings.workers.items()
            ],
            tick_s=settings.scaling.tick_s,
        )
