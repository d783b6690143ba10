"""Jobs of the AI fleet: their messages, types and tiers. Readers ignore unknown fields."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from config.contracts.fields import body_fields, integer, mapping, optional_text, text, uuid


class Tier(StrEnum):
    """How much a job may cost; each tier has its queue."""

    LITE = "lite"
    BASIC = "basic"
    PREMIUM = "premium"


#: Queue keys of config.contracts.queues.
TIER_QUEUES = {Tier.LITE: "ai_lite", Tier.BASIC: "ai_basic", Tier.PREMIUM: "ai_premium"}

OCR = "ocr"
OMR_GRADING = "omr_grading"
EXCEL_PARSING = "excel_parsing"
ATTENDANCE_EXCEL_EXPORT = "attendance_excel_export"
STAFF_EXCEL_EXPORT = "staff_excel_export"
SUBTITLES = "subtitles"

#: The tiers that may run a type.
JOB_TYPES: dict[str, tuple[Tier, ...]] = {
    OCR: (Tier.LITE, Tier.BASIC, Tier.PREMIUM),
    OMR_GRADING: (Tier.BASIC, Tier.PREMIUM),
    EXCEL_PARSING: (Tier.BASIC, Tier.PREMIUM),
    ATTENDANCE_EXCEL_EXPORT: (Tier.BASIC, Tier.PREMIUM),
    STAFF_EXCEL_EXPORT: (Tier.BASIC, Tier.PREMIUM),
    SUBTITLES: (Tier.PREMIUM,),
}


@dataclass(frozen=True)
class AiJob:
    """One job of the AI fleet. `created_at` is ISO 8601, UTC.

    `job_type` and `tier` are taken as they come: whether they are allowed is the worker's answer,
    REJECTED_BAD_INPUT, and no reason to leave a job without one.
    """

    job_id: str
    job_type: str
    tier: str
    payload: dict[str, Any]
    tenant_id: int
    source_domain: str
    source_id: str
    created_at: str
    attempt: int = 0


def encode_ai_job(job: AiJob) -> str:
    """Return the JSON body of a job's message."""
    return json.dumps(asdict(job), ensure_ascii=False)


def decode_ai_job(body: str) -> AiJob:
    """Return the job that a body of an AI queue holds. Raises: Undecodable."""
    fields = body_fields(body)
    return AiJob(
        job_id=uuid(fields, "job_id"),
        job_type=text(fields, "job_type"),
        tier=text(fields, "tier"),
        payload=mapping(fields, "payload"),
        tenant_id=integer(fields, "tenant_id"),
        source_domain=optional_text(fields, "source_domain"),
        source_id=optional_text(fields, "source_id"),
        created_at=optional_text(fields, "created_at"),
        attempt=integer(fields, "attempt") if "attempt" in fields else 0,
    )
