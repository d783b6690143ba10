"""A worker fleet's stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from constructs import Construct

from config.contracts.ladder import Rung, format_ladder
from config.contracts.names import worker_group_name
from config.contracts.storage_keys import EXCEL_EXPORTS_PREFIX, EXCEL_UPLOADS_PREFIX
from config.model_workers import WorkerKind
from config.settings import Settings
from stacks.constructs.backstop import Backstop
from stacks.constructs.buckets import (
    EXPORT_ACTIONS,
    SUBTITLES_ACTIONS,
    VIDEO_ACTIONS,
    WORKER_ACTIONS,
)
from stacks.constructs.firewall import frozen_group
from stacks.constructs.foundation import Foundation
from stacks.constructs.job_queue import grant_queues
from stacks.constructs.platform_stack import Place, PlatformStack
from stacks.constructs.worker_fleet import WorkerFleet, WorkerSize

if TYPE_CHECKING:
    from stacks.api import ApiStack

#: Objects that each kind of worker reads and writes: bucket role, prefix, actions.
OBJECTS: dict[str, tuple[tuple[str, str, tuple[str, ...]], ...]] = {
    "video": (("video", "tenants/", VIDEO_ACTIONS),),
    "ai": (
        ("ai", "tenants/", WORKER_ACTIONS),
        ("excel", EXCEL_UPLOADS_PREFIX, WORKER_ACTIONS),
        ("excel", EXCEL_EXPORTS_PREFIX, EXPORT_ACTIONS),
        ("video", "tenants/", SUBTITLES_ACTIONS),
    ),
    "messaging": (),
}


class WorkerStack(PlatformStack):
    """The fleet of one worker kind, its permissions and its queues' age alarms."""

    def __init__(
        self,
        scope: Construct,
        *,
        kind: WorkerKind,
        place: Place,
        settings: Settings,
        base: Foundation,
        api: ApiStack,
    ) -> None:
        super().__init__(scope, kind, place)
        self.kind = kind
        worker = settings.workers[kind]
        # Workers read API_BASE_URL when they boot, and the API stack writes it.
        self.add_stack_dependency(api)
        self.fleet = WorkerFleet(
            self,
            "Fleet",
            kind=kind,
            place=place,
            vpc=base.network.vpc,
            subnets=base.network.compute_subnets,
            security_group=frozen_group(self, "WorkersGroup", base.network.firewall.workers),
            parameters=base.worker_environments(kind),
            environment=fleet_environment(settings, kind) | self._alerts(kind),
            size=WorkerSize(
                instance_types=worker.instance_types,
                on_demand_base=worker.on_demand_base,
                spot_percent=worker.spot_percent,
                disk_gb=worker.disk_gb,
                scratch_gb=worker.scratch_gb,
                minimum=worker.min_instances,
                maximum=worker.max_instances,
                warm=worker.warm_pool.size if worker.warm_pool else 0,
            ),
            stop_timeout_s=worker.stop_timeout_s,
            termination_wait_s=worker.termination_wait_s,
            boot_limit_s=settings.scaling.boot_limit_s,
            probe_every_s=settings.scaling.probe_every_s,
        )
        Backstop(
            self,
            "Backstop",
            place=place,
            kind=kind,
            group=self.fleet.group,
            job_queues=[base.job_queues[key] for key in worker.queues],
            slots=worker.concurrency,
            maximum=worker.max_instances,
            boot_s=worker.boot_s,
        )
        grant_queues(self.fleet.role, kind, base.job_queues)
        for bucket, prefix, actions in OBJECTS[kind]:
            base.objects.grant(self.fleet.role, bucket, prefix, actions)
        if kind == "messaging":
            self.place.topic.grant_publish(self.fleet.role)
        for key in worker.queues:
            base.job_queues[key].oldest_message_alarm(
                self,
                f"Oldest{key.title().replace('_', '')}Alarm",
                threshold_s=worker.oldest_message_alarm_s,
            )

    def _alerts(self, kind: WorkerKind) -> dict[str, str]:
        """Name the operators' topic to the kind that tells it of a provider that is down."""
        return {"ALERT_TOPIC_ARN": self.place.topic.topic_arn} if kind == "messaging" else {}


def fleet_environment(settings: Settings, kind: WorkerKind) -> dict[str, str]:
    """Return what a fleet's containers get besides their parameters: it differs by fleet."""
    worker = settings.workers[kind]
    queue = settings.queues[worker.queues[0]]
    shared = {
        "ENVIRONMENT": settings.environment,
        "WORKER_KIND": kind,
        "AUTO_SCALING_GROUP_NAME": worker_group_name(settings.environment, kind),
        "IDLE_S": str(worker.idle_s),
        "ATTEMPTS": str(queue.attempts),
        "VISIBILITY_TIMEOUT_S": str(queue.visibility_timeout_s),
        "TIME_LIMIT_S": str(worker.time_limit_s),
        "CONCURRENCY": str(worker.concurrency),
        "HANG_LIMIT_S": str(worker.hang_limit_s),
    }
    return shared | _OWN[kind](settings)


def _video(settings: Settings) -> dict[str, str]:
    video = settings.video
    rungs = [Rung(rung.short_side_px, rung.video_kbps, rung.crf) for rung in video.ladder]
    return {
        "VIDEO_LADDER": format_ladder(rungs),
        "VIDEO_SEGMENT_S": str(video.segment_s),
        "VIDEO_PART_S": str(video.part_s),
        "VIDEO_RATE_CONTROL": video.rate_control,
    }


def _ai(settings: Settings) -> dict[str, str]:
    return {
        "OCR_LANGUAGES": settings.ai.ocr_languages,
        "SUBTITLES_MODEL": settings.ai.subtitles_model,
    }


def _messaging(settings: Settings) -> dict[str, str]:
    return {
        "MESSAGING_PROVIDER": settings.messaging.provider,
        "ALIGO_TESTMODE": "Y" if settings.messaging.test_mode else "N",
    }


_OWN: dict[WorkerKind, Callable[[Settings], dict[str, str]]] = {
    "video": _video,
    "ai": _ai,
    "messaging": _messaging,
}
