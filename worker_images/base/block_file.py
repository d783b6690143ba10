"""Something far away as a file that seeks, read block by block; libav takes it as one."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections import OrderedDict
from typing import ClassVar


class BlockFile(io.RawIOBase, ABC):
    """A file of `size_bytes`, read in blocks of which the latest few are kept.

    libav reads through C, which no exception crosses, and takes a short file for a damaged one: a
    read that fails ends the file there and is kept in `failure`. Whoever reads asks for `failure`
    before believing what was read.
    """

    block_bytes: ClassVar[int]
    kept_blocks: ClassVar[int]

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self.failure: Exception | None = None
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._at = 0

    @abstractmethod
    def _fetch(self, first: int) -> bytes:
        """Return the block that begins at byte `first`, shorter at the file's end."""

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
        number, offset = divmod(self._at, self.block_bytes)
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
            found = self._fetch(number * self.block_bytes)
        self._blocks[number] = found
        if len(self._blocks) > self.kept_blocks:
            self._blocks.popitem(last=False)
        return found
