"""Links to the page that plays a video, and what such a link may reach."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from django.core import signing

from config.contracts.states import VideoState
from config.contracts.storage_keys import CONTENT_TYPES, hls_prefix
from worker_images.api import answers
from worker_images.api.models import Video

#: A link works for a week; the progress answer always holds a fresh one.
LINK_MAX_AGE_S = 7 * 24 * 3600
#: Seconds for which a segment's own address works, and for which a browser may keep it.
SEGMENT_URL_MAX_AGE_S = 900
#: Seconds for which CloudFront lets a browser that opened the page go on: a long day of study.
COOKIE_MAX_AGE_S = 12 * 3600
_SALT = "academy.watch"
#: What the page and its playlists need of a video.
_SHOWN = ("id", "tenant_id", "title", "state")
_ENDINGS = "|".join(ending.removeprefix(".") for ending in CONTENT_TYPES)
#: Folders and a file below the video's prefix. No dot but the ending's, so no way out of it.
_NAME = re.compile(rf"(?:[A-Za-z0-9_-]+/)*[A-Za-z0-9_-]+\.(?:{_ENDINGS})")


class LinkExpired(Exception):  # noqa: N818 - says what became of the link
    """The signature is right, the link is too old."""


def token(video_id: int) -> str:
    """Return the signed part of a video's link."""
    return signing.TimestampSigner(salt=_SALT).sign(str(video_id))


def video_of(given: str) -> Video | None:
    """Return the video that a link's token names, with `_SHOWN` alone, None without one.

    Raises: LinkExpired.
    """
    signer = signing.TimestampSigner(salt=_SALT)
    try:
        video_id = signer.unsign(given, max_age=LINK_MAX_AGE_S)
    except signing.SignatureExpired as error:
        raise LinkExpired from error
    except signing.BadSignature:
        return None
    found = answers.remembered(
        answers.watch_key(int(video_id)),
        lambda: Video.objects.filter(pk=int(video_id)).values(*_SHOWN).first() or {},
        lasting=lambda facts: facts.get("state") == VideoState.READY,
    )
    return Video(**found) if found else None


def object_key(video: Video, name: str) -> str | None:
    """Return the key of `name` below the video's HLS prefix, None where it is not allowed."""
    if not _NAME.fullmatch(name):
        return None
    return hls_prefix(video.tenant_id, video.pk) + name


def names_others(key: str) -> bool:
    """Whether an object is small text that names others, relative to its own address."""
    return PurePosixPath(key).suffix in {".m3u8", ".vtt"}
