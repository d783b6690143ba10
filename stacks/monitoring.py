"""What watches an environment from outside: dashboard, uptime canary, alarms on its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from constructs import Construct

from config.settings import Settings
from stacks.constructs.canary import HealthCanary
from stacks.constructs.dashboard import OperatorsDashboard
from stacks.constructs.fleet_alarms import fleet_alarms
from stacks.constructs.foundation import Foundation
from stacks.constructs.platform_stack import Place, PlatformStack
from stacks.constructs.store_alarms import database_alarms, redis_alarms
from stacks.constructs.watched import Watched, WatchedFleet

if TYPE_CHECKING:
    from stacks.api import ApiStack
    from stacks.data import DataStack
    from stacks.scaling import ScalingStack


class MonitoringStack(PlatformStack):
    """Canary, alarms and the dashboard over everything else; composed last.

    It reads other stacks' values by weak references: none of them exports anything for it, so
    that each can rename or replace what is watched (docs/adr/0012).
    """

    def __init__(
        self,
        scope: Construct,
        *,
        place: Place,
        settings: Settings,
        base: Foundation,
        data: DataStack,
        api: ApiStack,
        scaling: ScalingStack,
    ) -> None:
        super().__init__(scope, "monitoring", place)
        cdk.CrossStackReferences.of(self).consume(cdk.ReferenceStrength.WEAK)
        HealthCanary(self, "Canary", place=place, public_url=api.entry.base_url)
        for kind, worker in settings.workers.items():
            fleet_alarms(self, place=place, kind=kind, late_s=worker.oldest_message_alarm_s)
        database = data.postgres.instance.instance_identifier if data.postgres else None
        if database:
            rds = settings.database.rds
            database_alarms(
                self,
                place=place,
                instance=database,
                storage_gb=rds.storage_gb,
                connections=rds.max_connections,
                burstable=rds.instance_type.startswith("t"),
            )
        if data.redis_nodes:
            redis_alarms(self, place=place, nodes=data.redis_nodes)
        OperatorsDashboard(
            self,
            "Operators",
            watched=Watched(
                environment=place.environment,
                job_queues=list(base.job_queues.values()),
                load_balancer=api.entry.load_balancer,
                metric_function=scaling.metric.function,
                metric_logs=scaling.metric.log_group,
                worker_logs=[stack.fleet.log_group for stack in scaling.workers],
                fleets=[
                    WatchedFleet(
                        kind=kind,
                        start_s=worker.boot_s + worker.start_within_s,
                        boot_s=worker.boot_s,
                        late_s=worker.oldest_message_alarm_s,
                    )
                    for kind, worker in settings.workers.items()
                ],
                tick_s=settings.scaling.tick_s,
                database=database,
                redis_nodes=data.redis_nodes,
                alarms=place.alarms.made if place.alarms else [],
            ),
        )
