"""A source read by ranged requests, as a file that seeks: a probe reads a few megabytes of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import BinaryIO

import urllib3

from worker_images.base.block_file import BlockFile
from worker_images.base.errors import Permanent, Retryable

#: A source that answers so slowly is tried again later.
LIMIT_S = 300.0
_NOT_FOUND, _NOT_SATISFIABLE = 404, 416
_RETRIES = urllib3.Retry(
    total=4, backoff_factor=0.5, status_forcelist=(429, 500, 502, 503, 504), raise_on_status=False
)
_TIMEOUT = urllib3.Timeout(connect=10, read=30)
SOURCE_MISSING = (
    "SOURCE_MISSING",
    "업로드된 원본 영상을 찾을 수 없습니다. 다시 업로드해 주세요.",
)


class RemoteFile(BlockFile):
    """The object behind a URL, in blocks of 1 MiB, the latest eight of them kept."""

    block_bytes = 1 << 20
    kept_blocks = 8

    def __init__(self, url: str, *, limit_s: float = LIMIT_S) -> None:
        """Read the first block. Raises: Permanent without an object, Retryable otherwise."""
        super().__init__(self.block_bytes)
        self._url = url
        self._pool = urllib3.PoolManager(retries=_RETRIES, timeout=_TIMEOUT)
        self._give_up_at = time.monotonic() + limit_s
        self._block(0)

    def close(self) -> None:
        self._pool.clear()
        super().close()

    def _fetch(self, first: int) -> bytes:
        if time.monotonic() > self._give_up_at:
            raise Retryable("SOURCE_SLOW", "the source was not read within the limit")
        span = {"Range": f"bytes={first}-{first + self.block_bytes - 1}"}
        try:
            answer = self._pool.request("GET", self._url, headers=span)
        except urllib3.exceptions.HTTPError as error:
            raise Retryable("SOURCE_UNREACHABLE", type(error).__name__) from error
        if answer.status == _NOT_FOUND:
            raise Permanent(*SOURCE_MISSING)
        if answer.status == _NOT_SATISFIABLE:
            self.size_bytes = 0
            return b""
        if answer.status != 206:
            raise Retryable("SOURCE_REFUSED", f"the source answered {answer.status} to a range")
        self.size_bytes = int(answer.headers["Content-Range"].rpartition("/")[2])
        return answer.data


def open_source(location: str | Path, *, limit_s: float = LIMIT_S) -> RemoteFile | BinaryIO:
    """Return a source as a binary file; `location` is a URL or a path.

    Raises: Permanent when no object is there, Retryable when it cannot be reached.
    """
    if is_remote(location):
        return RemoteFile(str(location), limit_s=limit_s)
    return Path(location).open("rb")


def is_remote(location: str | Path) -> bool:
    """Whether a location is a URL."""
    return str(location).startswith(("http://", "https://"))
