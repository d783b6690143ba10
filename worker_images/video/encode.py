"""The handler of a video job: one uploaded lecture becomes an HLS ladder, part by part."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from config.contracts import storage_keys
from config.contracts.messages import VideoJob
from worker_images.base.cancellation import Cancellation
from worker_images.base.clock import Clock
from worker_images.base.errors import Permanent
from worker_images.base.logging import logger
from worker_images.base.storage import Storage
from worker_images.base.work import Context, Result
from worker_images.video.container import keyframes
from worker_images.video.copying import fits
from worker_images.video.crew import encode_all
from worker_images.video.facts import WHOLE, PartFacts, joined
from worker_images.video.ffmpeg import ENCODE_FAILED
from worker_images.video.part import Bench, NotCopyable, encode_part
from worker_images.video.part_log import PartLog, PostgresPartLog
from worker_images.video.plan import Plan, make_plan
from worker_images.video.probe import probe
from worker_images.video.progress import ENCODE_FROM, ENCODE_TO, EncodeProgress
from worker_images.video.publish import remove_others, upload_pictures, upload_playlists
from worker_images.video.remote import SOURCE_MISSING
from worker_images.video.settings import VideoSettings
from worker_images.video.source import Source
from worker_images.video.uploads import Uploads

_log = logger("encode")
#: In place of `EXPIRE_ORIGINAL_TAG` while a job needs the original, a retried video's say.
_KEEP = (storage_keys.EXPIRE_ORIGINAL_TAG[0], "keep-original")
#: S3 asks for a URL's date when a request begins; every ffmpeg gets a fresh one.
_URL_S = 6 * 3600
#: Cores that one part keeps busy: its encoders run beside each other, and the largest is half.
_CORES_OF_A_PART = 2
#: Seconds of a part that a second of the whole length's work (audio) counts as.
_WHOLE_WEIGHT = 0.05


@dataclass(frozen=True)
class EncodeVideo:
    """Encodes a job's source. A second run writes the same keys with the same content.

    `ffmpeg` is the program's path. The source stays where it is: ffmpeg reads what it needs of it
    through a presigned URL. A worker that takes a job over goes on behind the parts that are
    recorded. Files lie in a folder of the run below the temporary one (TMPDIR) and go with it.
    """

    storage: Storage
    settings: VideoSettings
    ffmpeg: str
    clock: Clock
    part_log: PartLog = field(default_factory=PostgresPartLog)

    def __call__(self, job: VideoJob, context: Context) -> Result:
        context.report(0.0, "probe", None)
        self._tag(job.file_key, _KEEP)
        found = self.storage.head(job.file_key)
        if found is None:
            raise Permanent(*SOURCE_MISSING)

        def url() -> str:
            return self.storage.presign_get(job.file_key, expires_s=_URL_S)

        source = probe(url())
        _log.info("source probed", width=source.width, height=source.height, fps=source.fps)
        encoded = make_plan(source, self.settings, etag=found.etag, key_frames_s=())
        plan = encoded
        if fits(source, encoded.ladder[-1], encoded.segment_s):
            key_frames_s = keyframes(url())
            plan = make_plan(source, self.settings, etag=found.etag, key_frames_s=key_frames_s)
        context.report(ENCODE_FROM, "encode", None)
        with tempfile.TemporaryDirectory(prefix="academy-video-") as folder:
            run = _Run(self, job, context, url, Path(folder))
            try:
                run.encode(plan)
            except NotCopyable as error:
                _log.info("the source's picture is encoded, not copied", reason=str(error))
                run.encode(encoded)
        self._tag(job.file_key, storage_keys.EXPIRE_ORIGINAL_TAG)
        return Result({"duration_s": source.duration_s})

    def _tag(self, key: str, tag: tuple[str, str]) -> None:
        """Say whether the original may expire: not while a job needs it, only when it is done.

        A store that refuses costs the original's space, never the job.
        """
        try:
            if not self.storage.tag(key, dict([tag])):
                _log.info("original left to the API: the store has no tags", file_key=key)
        except Exception as error:
            _log.warning("original not tagged", file_key=key, tag=tag, error=repr(error))


@dataclass
class _Run:
    """One worker's work on one job."""

    video: EncodeVideo
    job: VideoJob
    context: Context
    url: Callable[[], str]
    folder: Path

    def encode(self, plan: Plan) -> None:
        """Encode what is missing, then publish. Raises: NotCopyable, and what work raises."""
        storage, context = self.video.storage, self.context
        prefix = storage_keys.hls_prefix(self.job.tenant_id, self.job.video_id)
        with Uploads(storage, prefix, self.folder) as uploads:
            parts = self._recorded(plan, prefix)
            self._encode(plan, parts, uploads)
            context.report(ENCODE_TO, "publish", None)
            streams = joined([parts[index] for index in sorted(parts)])
            if any(rung.name not in streams for rung in plan.ladder):
                raise Permanent(*ENCODE_FAILED)
            names = upload_pictures(plan.source, self._bench(uploads, context.cancellation))
            context.cancellation.check()
            names += upload_playlists(plan, streams, uploads)
            remove_others(storage, prefix, names)

    def _recorded(self, plan: Plan, prefix: str) -> dict[int, PartFacts]:
        """Return the parts that are recorded, and whose segments are all there still."""
        recorded = self.video.part_log.recorded(self.context, plan.digest)
        keys = set(self.video.storage.list_keys(prefix)) if recorded else set()
        return {
            index: facts
            for index, facts in recorded.items()
            if all(f"{prefix}{name}" in keys for name in facts.names())
        }

    def _encode(self, plan: Plan, parts: dict[int, PartFacts], uploads: Uploads) -> None:
        """Add what is missing to `parts`."""
        progress = EncodeProgress(self.context.report, self.video.clock, _lengths_s(plan))
        for index in parts:
            progress.found(index)

        def encode(index: int, stop: Cancellation) -> PartFacts:
            bench = self._bench(uploads, stop, lambda seconds: progress.encoded(index, seconds))
            return encode_part(plan, index, bench)

        def on_done(index: int, facts: PartFacts) -> None:
            self.video.part_log.record(self.context, plan.digest, index, facts)
            parts[index] = facts
            progress.done(index)
            _log.info("part done", part=index, of=len(plan.parts))

        missing = [n for n in (WHOLE, *range(len(plan.parts))) if n not in parts]
        # A picture that proves not to be copyable changes the plan: it is known first.
        alone = [n for n in missing if n == WHOLE and plan.copied]
        for batch in (alone, [n for n in missing if n not in alone]):
            encode_all(
                batch,
                encode,
                at_once=max(1, len(os.sched_getaffinity(0)) // _CORES_OF_A_PART),
                cancellation=self.context.cancellation,
                on_done=on_done,
                on_look=progress.look,
            )

    def _bench(
        self,
        uploads: Uploads,
        cancellation: Cancellation,
        on_progress: Callable[[float], None] = lambda _: None,
    ) -> Bench:
        return Bench(
            ffmpeg=self.video.ffmpeg,
            url=self.url,
            uploads=uploads,
            folder=self.folder,
            clock=self.video.clock,
            cancellation=cancellation,
            on_progress=on_progress,
        )


def _lengths_s(plan: Plan) -> dict[int, float]:
    """Return the seconds that each part counts as."""
    source: Source = plan.source
    ends = [part.end / plan.timescale if part.end else source.video_end_s for part in plan.parts]
    lengths = {WHOLE: source.duration_s * _WHOLE_WEIGHT}
    for part, end_s in zip(plan.parts, ends, strict=True):
        lengths[part.index] = max(0.0, end_s - part.cuts[0] / plan.timescale)
    return lengths
