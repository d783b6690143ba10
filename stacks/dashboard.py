"""The operators' dashboard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from constructs import Construct

from stacks.constructs.dashboard import OperatorsDashboard, Watched
from stacks.constructs.platform_stack import Place, PlatformStack

if TYPE_CHECKING:
    from stacks.api import ApiStack
    from stacks.queues import QueuesStack
    from stacks.scaling import ScalingStack
    from stacks.workers import WorkerStack


class DashboardStack(PlatformStack):
    """One dashboard over the queues, the API, the metric function and the fleets."""

    def __init__(
        self,
        scope: Construct,
        *,
        place: Place,
        queues: QueuesStack,
        api: ApiStack,
        workers: Sequence[WorkerStack],
        scaling: ScalingStack,
    ) -> None:
        super().__init__(scope, "dashboard", place)
        job_queues = list(queues.job_queues.values())
        OperatorsDashboard(
            self,
            "Operators",
            watched=Watched(
                environment=place.environment,
                job_queues=job_queues,
                load_balancer=api.entry.load_balancer,
                metric_function=scaling.metric.function,
                metric_logs=scaling.metric.log_group,
                worker_logs=[stack.fleet.log_group for stack in workers],
                worker_kinds=[stack.fleet.kind for stack in workers],
                group_names=[stack.fleet.group_name for stack in workers],
                alarms=[
                    scaling.metric.silence_alarm,
                    *(item.dead_letter_alarm for item in job_queues),
                    *(alarm for stack in workers for alarm in stack.alarms),
                ],
            ),
        )
