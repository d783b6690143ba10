"""The handler of a video job: one uploaded lecture becomes an HLS ladder and a thumbnail."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from config.contracts import storage_keys
from config.contracts.messages import VideoJob
from worker_images.base.clock import Clock
from worker_images.base.errors import Permanent
from worker_images.base.logging import logger
from worker_images.base.storage import ObjectNotFoundError, Storage
from worker_images.base.work import Context, Result
from worker_images.video.ffmpeg import Ffmpeg, encode_command, thumbnail_command
from worker_images.video.ladder import renditions
from worker_images.video.master import master_playlist
from worker_images.video.probe import Source, probe
from worker_images.video.settings import VideoSettings
from worker_images.video.uploader import Uploader

_log = logger("encode")
SOURCE_MISSING = (
    "SOURCE_MISSING",
    "업로드된 원본 영상을 찾을 수 없습니다. 다시 업로드해 주세요.",
)
#: What the encode takes of a job's percentage; the rest is downloading and publishing.
_ENCODE_FROM, _ENCODE_TO = 2.0, 98.0


@dataclass(frozen=True)
class EncodeVideo:
    """Encodes a job's source. A second run writes the same keys with the same content.

    `ffmpeg` is the program's path. Files lie in a folder of the run below the temporary one
    (TMPDIR) and go with it, whatever happens.
    """

    storage: Storage
    settings: VideoSettings
    ffmpeg: str
    clock: Clock

    def __call__(self, job: VideoJob, context: Context) -> Result:
        with tempfile.TemporaryDirectory(prefix="academy-video-") as name:
            folder = Path(name)
            context.report(0.0, "download", None)
            path = self._download(job, folder)
            context.cancellation.check()
            context.report(_ENCODE_FROM, "probe", None)
            source = probe(path)
            _log.info(
                "source probed", width=source.width, height=source.height, fps=str(source.fps)
            )
            self._encode(job, context, path, source, folder)
        name, value = storage_keys.EXPIRE_ORIGINAL_TAG
        if not self.storage.tag(job.file_key, {name: value}):
            _log.info("original left to the API: the store has no tags", file_key=job.file_key)
        return Result(duration_s=source.duration_s)

    def _download(self, job: VideoJob, folder: Path) -> Path:
        path = folder / "source"
        try:
            self.storage.get_file(job.file_key, path)
        except ObjectNotFoundError as error:
            raise Permanent(*SOURCE_MISSING) from error
        return path

    def _encode(
        self, job: VideoJob, context: Context, path: Path, source: Source, folder: Path
    ) -> None:
        settings, runner = self.settings, Ffmpeg(self.clock)
        ladder = renditions(settings.ladder, width=source.width, height=source.height)
        for rung in ladder:
            (folder / rung.name).mkdir()
        prefix = storage_keys.hls_prefix(job.tenant_id, job.video_id)
        started_at = self.clock.now()
        with Uploader(self.storage, prefix, folder, ladder) as uploader:

            def on_poll(encoded_s: float) -> None:
                uploader.poll()
                elapsed_s = self.clock.now() - started_at
                context.report(*_progress(encoded_s, source.duration_s, elapsed_s))

            command = encode_command(self.ffmpeg, path, source, ladder, settings.segment_s)
            runner.run(command, folder, context.cancellation, on_poll)
            context.report(_ENCODE_TO, "publish", None)
            variants = uploader.finish(has_audio=source.has_audio)
            self._thumbnail(uploader, context, path=path, source=source, folder=folder)
            context.cancellation.check()
            master = folder / storage_keys.MASTER_PLAYLIST
            master.write_text(master_playlist(variants, float(source.fps)))
            uploader.put(storage_keys.MASTER_PLAYLIST, master)
            self._remove_stale(prefix, uploader.keys)

    def _thumbnail(
        self,
        uploader: Uploader,
        context: Context,
        *,
        path: Path,
        source: Source,
        folder: Path,
    ) -> None:
        """Upload a picture of a tenth into the video, or its first where that finds none."""
        target = folder / storage_keys.THUMBNAIL
        for at_s in (source.duration_s / 10, 0.0):
            command = thumbnail_command(self.ffmpeg, path, source, target, at_s=at_s)
            Ffmpeg(self.clock).run(command, folder, context.cancellation, lambda encoded_s: None)
            if target.exists():
                uploader.put(storage_keys.THUMBNAIL, target)
                return
        _log.warning("no thumbnail: the source has no key frame that decodes")

    def _remove_stale(self, prefix: str, written: set[str]) -> None:
        """Delete what an earlier run with another ladder left below the prefix."""
        for key in list(self.storage.list_keys(prefix)):
            if key not in written:
                self.storage.delete(key)


def _progress(
    encoded_s: float, duration_s: float, elapsed_s: float
) -> tuple[float, str, float | None]:
    """Return `(percent, step, seconds left)`, the last at the speed so far."""
    share = min(1.0, encoded_s / duration_s) if duration_s > 0 else 0.0
    seconds_left = elapsed_s * (1 - share) / share if share > 0 else None
    return _ENCODE_FROM + share * (_ENCODE_TO - _ENCODE_FROM), "encode", seconds_left
