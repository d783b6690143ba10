"""The job type `subtitles`: a lecture's speech as WebVTT beside its HLS.

Payload: `file_key` (the original in the video bucket), `video_id`, and `language`, which is the
model's when absent.
Result: `vtt_key`, `language`, `cues` (how many), `mean_confidence` and `duration_s`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from config.contracts import storage_keys
from config.contracts.ai_jobs import AiJob
from worker_images.ai.payload import Payload
from worker_images.ai.subtitles.audio import Audio, open_audio
from worker_images.ai.subtitles.checkpoint import Checkpoint, Heard, checkpoint_key
from worker_images.ai.subtitles.cues import cues, webvtt
from worker_images.ai.subtitles.model import SpeechModel
from worker_images.ai.subtitles.speech import Hearing, Word
from worker_images.ai.subtitles.stored_file import StoredFile
from worker_images.base.errors import BadInput
from worker_images.base.storage import Storage
from worker_images.base.work import Context, Result

#: Seconds of the lecture between two checkpoints.
CHECKPOINT_S = 60.0
#: Below it (silence, noise, a foreign language) somebody reads the subtitles before pupils do. It
#: finds no single wrong words: the small model is sure of many of those.
SURE = 0.7
_HEARD_PERCENT = 98.0


@dataclass(frozen=True)
class MakeSubtitles:
    """Hears a lecture in chunks of half a second. `work` is the AI bucket, for checkpoints."""

    videos: Storage
    work: Storage
    model: SpeechModel

    def __call__(self, job: AiJob, context: Context) -> Result:
        fields = Payload(job.payload)
        key = fields.file_key(f"tenants/{job.tenant_id}/video/")
        video_id = fields.integer("video_id", least=1)
        language = self.model.language
        fields.one_of("language", (language,), default=language)
        facts = self.videos.head(key)
        if facts is None:
            raise BadInput("FILE_MISSING", f"file_key: '{key}' 파일이 없습니다.")
        context.report(0, "loading the model", None)
        checkpoint = Checkpoint(self.work, checkpoint_key(job.tenant_id, job.job_id), facts.etag)
        with open_audio(StoredFile(self.videos, key, facts.size_bytes)) as audio:
            heard = self._hear(audio, checkpoint, context)
        found = cues(heard.words, language)
        prefix = storage_keys.hls_prefix(job.tenant_id, video_id)
        vtt_key = f"{prefix}{storage_keys.subtitles_name(language)}"
        context.report(_HEARD_PERCENT, "uploading", None)
        context.cancellation.check()
        self._upload(vtt_key, webvtt(found))
        checkpoint.clear()
        confidence = _mean_confidence(heard.words)
        values = {
            "vtt_key": vtt_key,
            "language": language,
            "cues": len(found),
            "mean_confidence": round(confidence, 3),
            "duration_s": round(heard.until_s, 2),
        }
        return Result(values, needs_review=confidence < SURE)

    def _hear(self, audio: Audio, checkpoint: Checkpoint, context: Context) -> Heard:
        earlier = checkpoint.load()
        words, until_s, saved_s = list(earlier.words), earlier.until_s, earlier.until_s
        hearing = Hearing(self.model.loaded(), until_s)
        left_s = _seconds_left(audio, until_s)
        for samples, end_s in audio.chunks(until_s):
            context.cancellation.check()
            utterance, until_s = hearing.hear(samples), end_s
            if utterance is not None:
                words += utterance
                if end_s - saved_s >= CHECKPOINT_S:
                    checkpoint.save(end_s, words)
                    saved_s = end_s
            context.report(_percent(audio, end_s), "listening", left_s(end_s))
        return Heard(until_s, (*words, *hearing.end()))

    def _upload(self, key: str, text: str) -> None:
        with TemporaryDirectory(prefix="subtitles-") as folder:
            path = Path(folder, "subtitles.vtt")
            path.write_text(text, "utf-8")
            self.videos.put_file(
                key,
                path,
                content_type=storage_keys.content_type(key),
                cache_control=storage_keys.NO_CACHE,
            )


def _percent(audio: Audio, end_s: float) -> float:
    """Return how far a lecture was heard; by its bytes where it does not say how long it is."""
    done = (
        end_s / audio.duration_s if audio.duration_s else audio.file.tell() / audio.file.size_bytes
    )
    return min(_HEARD_PERCENT, _HEARD_PERCENT * done)


def _seconds_left(audio: Audio, start_s: float) -> Callable[[float], float | None]:
    """Return what tells how long the rest takes at the speed so far."""
    started = time.monotonic()

    def left_s(end_s: float) -> float | None:
        if not audio.duration_s or end_s <= start_s:
            return None
        speed = (time.monotonic() - started) / (end_s - start_s)
        return max(0.0, (audio.duration_s - end_s) * speed)

    return left_s


def _mean_confidence(words: Sequence[Word]) -> float:
    """Return the mean confidence by duration, 0 without a word."""
    seconds = sum(word.end_s - word.start_s for word in words)
    if not seconds:
        return 0.0
    return sum(word.confidence * (word.end_s - word.start_s) for word in words) / seconds
