"""Paths of the API that other runtimes call, below its base URL. Source: the contract table."""

from __future__ import annotations

HEALTH = "/health"
METRICS = "/metrics"

VIDEOS = "/api/v1/media/videos/"
UPLOAD_INIT = f"{VIDEOS}upload/init/"

#: Where Lambda and operators call, with the internal key.
INTERNAL = "/api/v1/internal/"
BACKLOG_COUNT = f"{INTERNAL}video/backlog-count/"
#: Jobs and workers of every fleet: config.contracts.fleet_facts.
FLEETS = f"{INTERNAL}fleets/"

#: Every path of the API, as CloudFront's patterns; what needs a key asks for it itself. Paths below
#: STATIC hold a hash of their content, so that an edge may keep them.
PUBLIC_PATTERNS = ("/api/*", "/health*", METRICS, "/watch/*")
STATIC_PATTERN = "/static/*"
#: Beginnings of the paths that a client address may ask for only so often a minute. A class behind
#: one address loads watch pages and segments at once, so these are not among them.
RATE_LIMITED = ("/api/", HEALTH)
#: Paths whose request body is a file.
BODY_UPLOADS = ("/api/v1/enrollments/lecture_enroll_from_excel/",)

#: Staff calls carry `Authorization: Bearer <OPERATOR_API_TOKEN>` and the tenant in this header.
TENANT_HEADER = "X-Tenant-Id"


def upload_complete(video_id: int) -> str:
    """Return the path of upload/complete of a video."""
    return f"{VIDEOS}{video_id}/upload/complete/"


def progress(video_id: int) -> str:
    """Return the path of the progress of a video."""
    return f"{VIDEOS}{video_id}/progress/"
