"""Message bodies on the video queue. Changes are additive; readers ignore unknown fields."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from config.contracts.fields import Undecodable, body_fields, integer, text, uuid


@dataclass(frozen=True)
class VideoJob:
    """Encode one uploaded lecture."""

    job_id: str
    video_id: int
    tenant_id: int
    file_key: str


@dataclass(frozen=True)
class DeleteVideo:
    """Delete a video's original and its HLS rendition. `created_at` is ISO 8601, UTC."""

    tenant_id: int
    video_id: int
    file_key: str
    hls_prefix: str
    created_at: str


def encode(message: VideoJob | DeleteVideo) -> str:
    """Return the JSON body of a message."""
    body: dict[str, Any] = asdict(message)
    if isinstance(message, DeleteVideo):
        body = {"action": "delete_r2", **body}
    return json.dumps(body, ensure_ascii=False)


def decode_video_message(body: str) -> VideoJob | DeleteVideo:
    """Return the message that a body of the video queue holds.

    Raises: Undecodable when it is no JSON object, a field is missing or of the wrong type,
    the action is unknown, or a prefix lacks its closing slash.
    """
    fields = body_fields(body)
    action = fields.get("action")
    if action is None:
        return VideoJob(
            job_id=uuid(fields, "job_id"),
            video_id=integer(fields, "video_id"),
            tenant_id=integer(fields, "tenant_id"),
            file_key=text(fields, "file_key"),
        )
    if action != "delete_r2":
        raise Undecodable(f"action {action!r} is unknown; allowed: 'delete_r2'")
    prefix = text(fields, "hls_prefix")
    if not prefix.endswith("/"):
        raise Undecodable(f"hls_prefix {prefix!r} must end with '/'")
    return DeleteVideo(
        tenant_id=integer(fields, "tenant_id"),
        video_id=integer(fields, "video_id"),
        file_key=text(fields, "file_key"),
        hls_prefix=prefix,
        created_at=text(fields, "created_at"),
    )
