"""The file that a job is about."""

from __future__ import annotations

from worker_images.base.errors import BadInput
from worker_images.base.storage import Storage

MEBIBYTE = 1024**2


def fetch(storage: Storage, key: str, *, most_bytes: int) -> bytes:
    """Return an object's bytes. Raises: BadInput when it is missing, empty or larger."""
    facts = storage.head(key)
    if facts is None:
        raise BadInput("FILE_MISSING", f"file_key: '{key}' 파일이 없습니다. 다시 업로드해 주세요.")
    if not 0 < facts.size_bytes <= most_bytes:
        raise BadInput(
            "FILE_SIZE",
            f"file_key: 파일 크기가 {facts.size_bytes:,} 바이트입니다. "
            f"1 바이트~{most_bytes // MEBIBYTE} MiB 파일만 사용할 수 있습니다.",
        )
    return storage.get(key)
