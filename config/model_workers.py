"""The shape of the fleets' settings, and of what each kind of worker is told."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from config.model_base import ArmInstanceType, Model, SecretName

WorkerKind = Literal["video", "ai", "messaging"]
QueueKey = Literal["video", "ai_lite", "ai_basic", "ai_premium", "messaging"]


class WarmPool(Model):
    """Instances that booted once and were stopped: the next start takes seconds."""

    size: Annotated[int, Field(ge=1, le=100)]


class Worker(Model):
    """One fleet of workers."""

    queues: Annotated[list[QueueKey], Field(min_length=1)]
    instance_types: Annotated[list[ArmInstanceType], Field(min_length=1, max_length=40)]
    on_demand_base: Annotated[int, Field(ge=0, le=100)]
    spot_percent: Annotated[int, Field(ge=0, le=100)]
    disk_gb: Annotated[int, Field(ge=8, le=1024)]
    scratch_gb: Annotated[int, Field(ge=8, le=1024)] | None
    min_instances: Annotated[int, Field(ge=0, le=100)]
    max_instances: Annotated[int, Field(ge=1, le=100)]
    concurrency: Annotated[int, Field(ge=1, le=50)]
    start_within_s: Annotated[int, Field(ge=0, le=3600)]
    job_s: Annotated[int, Field(ge=1, le=86400)]
    boot_s: Annotated[int, Field(ge=1, le=1800)]
    warm_pool: WarmPool | None
    idle_s: Annotated[int, Field(ge=1, le=3600)]
    time_limit_s: Annotated[int, Field(ge=10, le=86400)]
    hang_limit_s: Annotated[int, Field(ge=5, le=3600)]
    checkpoint_s: Annotated[int, Field(ge=0, le=3600)]
    stop_timeout_s: Annotated[int, Field(ge=1, le=80)]
    termination_wait_s: Annotated[int, Field(ge=30, le=7200)]
    oldest_message_alarm_s: Annotated[int, Field(ge=60, le=86400)]


class Rung(Model):
    """One rendition of the HLS ladder."""

    short_side_px: Annotated[int, Field(ge=144, le=4320, multiple_of=2)]
    video_kbps: Annotated[int, Field(ge=50, le=50000)]
    crf: Annotated[int, Field(ge=10, le=45)]


class Video(Model):
    """What the video worker produces."""

    ladder: Annotated[list[Rung], Field(min_length=1)]
    rate_control: Literal["crf", "abr"]
    segment_s: Annotated[int, Field(ge=1, le=20)]
    part_s: Annotated[int, Field(ge=10, le=600)]


class Ai(Model):
    """What the AI worker reads and hears."""

    ocr_languages: Annotated[str, Field(pattern=r"^[a-z]{3}(\+[a-z]{3})*$")]
    subtitles_model: Annotated[str, Field(pattern=r"^[A-Za-z0-9/][A-Za-z0-9/._-]{0,127}$")]


class Messaging(Model):
    """Who carries texts; the secret holds the keys of `MESSAGING_CREDENTIALS`."""

    provider: Literal["aligo", "solapi"]
    test_mode: bool
    credentials_secret_name: SecretName | None


def without_null(kinds: Any) -> Any:
    """Drop the kinds that an environment sets to null: merging alone can only add to base's."""
    if not isinstance(kinds, dict):
        return kinds
    return {kind: worker for kind, worker in kinds.items() if worker is not None}
