"""A source read by ranged requests, as a file that seeks: a probe reads a few megabytes of it."""

from __future__ import annotations

import io
import time
from collections import OrderedDict
from pathlib import Path
from typing import BinaryIO

import urllib3

from worker_images.base.errors import Permanent, Retryable, WorkerError

_BLOCK_BYTES = 1 << 20
_KEPT_BLOCKS = 8
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


class RemoteFile(io.RawIOBase):
    """The object behind a URL, in blocks of 1 MiB, the latest eight of them kept.

    A transfer that fails for good ends the file there and is kept in `failure`: libav reads
    through C, which no exception crosses, and takes a short file for a damaged one. Whoever
    reads asks for `failure` before believing what was read.
    """

    def __init__(self, url: str, *, limit_s: float = LIMIT_S) -> None:
        """Read the first block. Raises: Permanent without an object, Retryable otherwise."""
        self._url = url
        self._pool = urllib3.PoolManager(retries=_RETRIES, timeout=_TIMEOUT)
        self._give_up_at = time.monotonic() + limit_s
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._at = 0
        self.failure: WorkerError | None = None
        self.size_bytes = _BLOCK_BYTES
        self._block(0)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size_bytes}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes, fewer at a block's end, none at the file's or a failure."""
        left = max(0, self.size_bytes - self._at)
        wanted = left if size < 0 else min(size, left)
        if wanted == 0 or self.failure is not None:
            return b""
        number, offset = divmod(self._at, _BLOCK_BYTES)
        try:
            found = self._block(number)[offset : offset + wanted]
        except WorkerError as error:
            self.failure = error
            return b""
        self._at += len(found)
        return found

    def close(self) -> None:
        self._pool.clear()
        super().close()

    def _block(self, number: int) -> bytes:
        found = self._blocks.pop(number, None)
        if found is None:
            found = self._fetch(number * _BLOCK_BYTES)
        self._blocks[number] = found
        if len(self._blocks) > _KEPT_BLOCKS:
            self._blocks.popitem(last=False)
        return found

    def _fetch(self, first: int) -> bytes:
        if time.monotonic() > self._give_up_at:
            raise Retryable("SOURCE_SLOW", "the source was not read within the limit")
        span = {"Range": f"bytes={first}-{first + _BLOCK_BYTES - 1}"}
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
