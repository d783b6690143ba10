"""Paths of the API that other runtimes call, below its base URL. Source: the contract table."""

from __future__ import annotations

HEALTH = "/health"
METRICS = "/metrics"

VIDEOS = "/api/v1/media/videos/"
UPLOAD_INIT = f"{VIDEOS}upload/init/"

BACKLOG_COUNT = "/api/v1/internal/video/backlog-count/"

#: Staff calls carry `Authorization: Bearer <OPERATOR_API_TOKEN>` and the tenant in this header.
TENANT_HEADER = "X-Tenant-Id"


def upload_complete(video_id: int) -> str:
    """Return the path of upload/complete of a video."""
    return f"{VIDEOS}{video_id}/upload/complete/"


def progress(video_id: int) -> str:
    """Return the path of the progress of a video."""
    return f"{VIDEOS}{video_id}/progress/"
