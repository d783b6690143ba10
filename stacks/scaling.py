"""The metric function that makes fleets grow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import aws_cdk as cdk
from constructs import Construct

from config.contracts.fleet_rules import FleetRules
from config.contracts.queues import BY_KEY
from config.settings import Settings
from stacks.constructs.backlog_metric import BacklogMetric
from stacks.constructs.foundation import Foundation
from stacks.constructs.platform_stack import Place, PlatformStack

if TYPE_CHECKING:
    from stacks.api import ApiStack
    from stacks.workers import WorkerStack


class ScalingStack(PlatformStack):
    """The function, its schedule and its alarms.

    It reads the fleets' log groups by weak references, so that a fleet deploys and reverts without
    it (docs/adr/0012).
    """

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
            boot_log = cdk.CrossStackReferences.of(stack.fleet.log_group)
            boot_log.produce(cdk.ReferenceStrength.WEAK)
        self.metric = BacklogMetric(
            self,
            "Backlog",
            place=place,
            api_base_url=api.entry.base_url,
            internal_key=base.api_environment.secret("LAMBDA_INTERNAL_API_KEY"),
            job_queues=base.job_queues,
            fleets=[_rules(settings, stack) for stack in workers],
            boot_logs=[stack.fleet.log_group for stack in workers],
            tick_s=settings.scaling.tick_s,
        )


def _rules(settings: Settings, stack: WorkerStack) -> FleetRules:
    fleet, scaling = stack.fleet, settings.scaling
    worker = settings.workers[stack.kind]
    return FleetRules(
        kind=stack.kind,
        group=fleet.group_name,
        queues=tuple(BY_KEY[key].physical(settings.environment) for key in worker.queues),
        slots=worker.concurrency,
        start_within_s=worker.start_within_s,
        job_s=worker.job_s,
        boot_s=worker.boot_s,
        boot_limit_s=scaling.boot_limit_s,
        failed_boots=scaling.failed_boots,
        probe_every_s=scaling.probe_every_s,
        spot_percent=worker.spot_percent,
        spot_losses=scaling.spot_losses,
        on_demand_s=scaling.on_demand_s,
        boot_log_group=fleet.log_group.log_group_name,
        breaker_alarm=f"{fleet.group_name}-breaker",
    )
