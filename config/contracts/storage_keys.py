"""Object keys, prefixes and headers. A prefix always ends with `/`."""

from __future__ import annotations

MASTER_PLAYLIST = "master.m3u8"
THUMBNAIL = "thumbnail.jpg"
MEDIA_PLAYLIST = "index.m3u8"
INIT_SEGMENT = "init.mp4"
#: What a player shows above its seek bar: WebVTT whose cues name parts of the sprite's pages.
THUMBNAILS = "thumbnails.vtt"

CONTENT_TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".jpg": "image/jpeg",
    ".vtt": "text/vtt",
}
NO_CACHE = "no-cache"
IMMUTABLE = "public, max-age=31536000, immutable"


def raw_video_key(tenant_id: int, session: str, upload: str, extension: str) -> str:
    """Return an upload's key; `extension` comes without its dot."""
    return f"tenants/{tenant_id}/video/raw/{session}/{upload}.{extension}"


def hls_prefix(tenant_id: int, video_id: int) -> str:
    """Return the prefix of a video's HLS rendition, with its closing slash."""
    return f"tenants/{tenant_id}/video/hls/{video_id}/"


#: Every video's HLS, as policies and CloudFront write it.
HLS_PATTERN = "tenants/*/video/hls/*"


def rendition_prefix(tenant_id: int, video_id: int, rung: int) -> str:
    """Return the prefix of rung `v<rung>`; 1 is the smallest."""
    return f"{hls_prefix(tenant_id, video_id)}v{rung}/"


def sprite_page(number: int) -> str:
    """Return the name of a page of thumbnails; 1 is the first."""
    return f"sprite-{number}.jpg"


def excel_upload_prefix(tenant_id: int) -> str:
    """Return the prefix of a tenant's rosters, with its closing slash."""
    return f"{EXCEL_UPLOADS_PREFIX}{tenant_id}/"


def excel_upload_key(tenant_id: int, upload: str) -> str:
    """Return a roster's key; `upload` is hexadecimal."""
    return f"{excel_upload_prefix(tenant_id)}{upload}.xlsx"


def excel_export_key(tenant_id: int, job: str, name: str) -> str:
    """Return an export's key; `job` is hexadecimal, `name` what a browser saves it as."""
    return f"{EXCEL_EXPORTS_PREFIX}{tenant_id}/{job}/{name}.xlsx"


def subtitles_name(language: str) -> str:
    """Return where a video's subtitles lie below its HLS prefix; `language` as `ko` or `en`."""
    return f"subtitles/{language}.vtt"


def ai_prefix(tenant_id: int) -> str:
    """Return the prefix of a tenant's pictures and PDFs in the AI bucket."""
    return f"tenants/{tenant_id}/ai/"


def cache_control(key: str) -> str:
    """Return the Cache-Control header of an object of a finished video."""
    return NO_CACHE if key.endswith(".m3u8") else IMMUTABLE


def content_type(key: str) -> str:
    """Return the Content-Type of an object key, `application/octet-stream` when unknown."""
    dot = key.rfind(".")
    return CONTENT_TYPES.get(key[dot:], "application/octet-stream")


#: Where rosters lie until a worker has read them, in the excel bucket.
EXCEL_UPLOADS_PREFIX = "excel/"
#: Where Excel exports lie, in the excel bucket: the lifecycle rule deletes by this prefix.
EXCEL_EXPORTS_PREFIX = "exports/"
#: Set on a video's original once its job has finished; the lifecycle rule deletes by this tag, so
#: that an unfinished job never loses its source. S3 alone: R2 has no object tags, and the API
#: deletes originals there.
EXPIRE_ORIGINAL_TAG = ("lifecycle", "expire-original")
#: Keys of the JSON secret with R2's credentials.
R2_SECRET_KEYS = ("access_key_id", "secret_access_key")
