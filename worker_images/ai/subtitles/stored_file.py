"""An object read by ranges, as a file that seeks: a lecture of gigabytes is never on the disk."""

from __future__ import annotations

from worker_images.base.block_file import BlockFile
from worker_images.base.storage import Storage


class StoredFile(BlockFile):
    """The object in blocks of 4 MiB, the latest two of them kept: an index and the place played."""

    block_bytes = 4 << 20
    kept_blocks = 2

    def __init__(self, storage: Storage, key: str, size_bytes: int) -> None:
        super().__init__(size_bytes)
        self._storage = storage
        self._key = key

    def _fetch(self, first: int) -> bytes:
        end = min(first + self.block_bytes, self.size_bytes)
        return self._storage.get(self._key, start=first, end=end)
