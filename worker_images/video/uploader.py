"""Uploads a rendition's files while ffmpeg still writes: segments first, playlists last."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from config.contracts import storage_keys
from worker_images.base.storage import Storage
from worker_images.video.ladder import Rendition
from worker_images.video.master import Variant, codecs
from worker_images.video.playlist import (
    Segment,
    as_vod,
    is_ended,
    listed_segments,
    measure,
    target_duration_s,
)


class Uploader:
    """Sends every segment once it is listed, hence complete, and deletes it from the disk.

    `poll` never blocks: one background thread does the transfers, and their first error is
    raised by the next `poll` or by `finish`. `keys` are the keys written so far.
    """

    def __init__(
        self, storage: Storage, prefix: str, folder: Path, ladder: tuple[Rendition, ...]
    ) -> None:
        self._storage = storage
        self._prefix = prefix
        self._folder = folder
        self._ladder = ladder
        self._segments: dict[str, list[Segment]] = {rung.name: [] for rung in ladder}
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="upload")
        self._running: Future[None] | None = None
        self.keys: set[str] = set()

    def __enter__(self) -> Uploader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def poll(self) -> None:
        """Start a transfer of what is complete, unless one is under way."""
        if self._running is not None:
            if not self._running.done():
                return
            self._running.result()
        self._running = self._pool.submit(self._send_segments)

    def finish(self, *, has_audio: bool) -> tuple[Variant, ...]:
        """Send the rest of the segments, then the media playlists; return what was measured.

        Raises: ValueError when a playlist has no end: ffmpeg did not finish it.
        """
        if self._running is not None:
            self._running.result()
        self._send_segments()
        return tuple(self._finish(rung, has_audio=has_audio) for rung in self._ladder)

    def put(self, name: str, path: Path) -> None:
        """Upload a file as `name` below the video's prefix, with the headers of its kind."""
        key = f"{self._prefix}{name}"
        self._storage.put_file(
            key,
            path,
            content_type=storage_keys.content_type(key),
            cache_control=storage_keys.cache_control(key),
        )
        self.keys.add(key)

    def _send_segments(self) -> None:
        for rung in self._ladder:
            playlist = self._folder / rung.name / storage_keys.MEDIA_PLAYLIST
            if not playlist.exists():
                continue
            sent = self._segments[rung.name]
            for listed in listed_segments(playlist.read_text())[len(sent) :]:
                path = self._folder / rung.name / listed.name
                size_bytes = path.stat().st_size
                self.put(f"{rung.name}/{listed.name}", path)
                path.unlink()
                sent.append(Segment(listed.duration_s, size_bytes))

    def _finish(self, rung: Rendition, *, has_audio: bool) -> Variant:
        folder = self._folder / rung.name
        playlist = folder / storage_keys.MEDIA_PLAYLIST
        text = playlist.read_text()
        if not is_ended(text):
            raise ValueError(f"{rung.name}: playlist without an end")
        init = folder / storage_keys.INIT_SEGMENT
        self.put(f"{rung.name}/{storage_keys.INIT_SEGMENT}", init)
        playlist.write_text(as_vod(text))
        self.put(f"{rung.name}/{storage_keys.MEDIA_PLAYLIST}", playlist)
        rates = measure(self._segments[rung.name], target_duration_s(text))
        return Variant(rung, rates, codecs(init.read_bytes(), has_audio=has_audio))
