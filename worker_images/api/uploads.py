"""Uploads: which files are taken, and where they go."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import PurePosixPath

from config.contracts.storage_keys import raw_video_key
from worker_images.api.models import Video

#: Seconds in which the browser must start its PUT.
UPLOAD_URL_MAX_AGE_S = 900
#: Per extension the content types that browsers report; the first one is signed.
CONTENT_TYPES: dict[str, tuple[str, ...]] = {
    "mp4": ("video/mp4",),
    "m4v": ("video/x-m4v", "video/mp4"),
    "mov": ("video/quicktime",),
    "webm": ("video/webm",),
    "mkv": ("video/x-matroska", "video/matroska"),
    "avi": ("video/x-msvideo", "video/avi", "video/vnd.avi"),
}
#: What browsers send when they do not know the file.
_UNKNOWN_TYPES = ("", "application/octet-stream")


class NotAVideo(ValueError):  # noqa: N818 - says what the file is
    """A file that is not taken; `field` is at fault, the text says what is allowed."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class AcceptedFile:
    """An upload's extension, without its dot, and the content type that its PUT must carry."""

    extension: str
    content_type: str


def accept(filename: str, content_type: str) -> AcceptedFile:
    """Return what an upload of this name and type is stored as.

    `content_type` may be empty or `application/octet-stream`: the extension decides then.

    Raises: NotAVideo naming the field, its value and what is allowed.
    """
    extension = PurePosixPath(filename).suffix.lower().removeprefix(".")
    if extension not in CONTENT_TYPES:
        allowed = ", ".join(f".{name}" for name in CONTENT_TYPES)
        raise NotAVideo(
            "filename",
            f"{filename!r}: 지원하지 않는 확장자입니다. 사용할 수 있는 확장자: {allowed}",
        )
    accepted = CONTENT_TYPES[extension]
    essence = content_type.partition(";")[0].strip().lower()
    if essence in _UNKNOWN_TYPES:
        return AcceptedFile(extension, accepted[0])
    if essence not in accepted:
        raise NotAVideo(
            "content_type",
            f"{content_type!r}: .{extension} 파일에 맞지 않는 형식입니다. "
            f"사용할 수 있는 형식: {', '.join(accepted)}",
        )
    return AcceptedFile(extension, essence)


def create_video(tenant_id: int, title: str, filename: str, content_type: str) -> Video:
    """Create a PENDING video with the key its original will have. An empty title is the file's.

    Raises: NotAVideo.
    """
    file = accept(filename, content_type)
    key = raw_video_key(tenant_id, uuid.uuid4().hex, str(uuid.uuid4()), file.extension)
    video = Video.objects.create(
        tenant_id=tenant_id,
        title=title or PurePosixPath(filename).stem,
        file_key=key,
        content_type=file.content_type,
    )
    video.refresh_from_db()
    return video
