"""Segments on their way to the bucket while ffmpeg goes on, and everything else that goes there."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from config.contracts import storage_keys
from worker_images.base.cancellation import Cancellation
from worker_images.base.storage import Storage

_THREADS = 4
_WAIT_S = 0.2


class Uploads:
    """Puts objects below a video's prefix, with the headers of their kind.

    A lane is one rendition of one part: it has one segment on its way at most, and whoever has
    the next one waits, and so does ffmpeg. `waiting` counts the segments that are not up yet.
    """

    def __init__(self, storage: Storage, prefix: str, folder: Path) -> None:
        self._storage = storage
        self._prefix = prefix
        self._folder = folder
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="upload")
        self._lock = threading.Lock()
        self._lanes: dict[str, Future[None]] = {}
        self.waiting = 0

    def __enter__(self) -> Uploads:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def send(self, lane: str, name: str, data: bytes, cancellation: Cancellation) -> None:
        """Start the upload of a segment once the lane's last one is up.

        Raises: what went wrong with that one, or the reason of `cancellation`.
        """
        self.settle(lane, cancellation)
        with self._lock:
            self.waiting += 1
        self._lanes[lane] = self._pool.submit(self._send, name, data)

    def settle(self, lane: str, cancellation: Cancellation) -> None:
        """Wait until a lane's segment is up. Raises: as `send` does."""
        future = self._lanes.pop(lane, None)
        while future is not None:
            cancellation.check()
            try:
                future.result(timeout=_WAIT_S)
            except TimeoutError:
                if not future.done():
                    continue
                raise
            return

    def put(self, name: str, path: Path) -> None:
        """Upload a file as `name` below the prefix."""
        key = f"{self._prefix}{name}"
        self._storage.put_file(
            key,
            path,
            content_type=storage_keys.content_type(key),
            cache_control=storage_keys.cache_control(key),
        )

    def put_data(self, name: str, data: bytes) -> None:
        """The same for what is no file yet."""
        path = self._folder / name.replace("/", "-")
        path.write_bytes(data)
        try:
            self.put(name, path)
        finally:
            path.unlink()

    def _send(self, name: str, data: bytes) -> None:
        try:
            self.put_data(name, data)
        finally:
            with self._lock:
                self.waiting -= 1
