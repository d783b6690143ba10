"""An object read by ranges, as a file that seeks: a lecture of gigabytes is never on the disk."""

from __future__ import annotations

import io

from worker_images.base.storage import Storage

_BLOCK_BYTES = 4 * 1024**2


class StoredFile(io.RawIOBase):
    """The object in blocks of 4 MiB, the latest two of them kept: an index and the place played.

    libav reads through C, which no exception crosses: a failed read ends the file and is kept in
    `failure`, for which whoever reads asks before believing that the file ended.
    """

    def __init__(self, storage: Storage, key: str, size_bytes: int) -> None:
        self._storage = storage
        self._key = key
        self._blocks: dict[int, bytes] = {}
        self._at = 0
        self.size_bytes = size_bytes
        self.failure: Exception | None = None

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
        """Return up to `size` bytes, fewer at a block's end; none at the file's or a failure."""
        left = max(0, self.size_bytes - self._at)
        wanted = left if size < 0 else min(size, left)
        if wanted == 0 or self.failure is not None:
            return b""
        number, offset = divmod(self._at, _BLOCK_BYTES)
        try:
            found = self._block(number)[offset : offset + wanted]
        except Exception as error:
            self.failure = error
            return b""
        self._at += len(found)
        return found

    def _block(self, number: int) -> bytes:
        found = self._blocks.pop(number, None)
        if found is None:
            start = number * _BLOCK_BYTES
            end = min(start + _BLOCK_BYTES, self.size_bytes)
            found = self._storage.get(self._key, start=start, end=end)
        self._blocks[number] = found
        if len(self._blocks) > 2:
            del self._blocks[next(iter(self._blocks))]
        return found
