"""The sound of a video as 16 kHz mono, in chunks, on the video's own time line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.container import InputContainer

from worker_images.ai.subtitles.stored_file import StoredFile
from worker_images.base.errors import BadInput, Retryable

RATE = 16_000
#: A chunk is heard in about 0.1 s: so soon does a job stop that is told to.
CHUNK_S = 0.5
#: Smaller holes between frames are rounding, larger ones silence that the file leaves out.
_HOLE_S = 0.05
#: A broken time stamp must not become hours of silence.
_LONGEST_HOLE_S = 3600.0
_SAMPLE_BYTES = 2
_NOTHING = np.zeros(0, np.int16)


@dataclass(frozen=True)
class Audio:
    """An open video's sound. `duration_s` is None where the file does not say."""

    file: StoredFile
    container: InputContainer
    duration_s: float | None

    def chunks(self, start_s: float) -> Iterator[tuple[bytes, float]]:
        """Yield (samples of 16 bits, the time at their end) from `start_s` on.

        Raises: Retryable when the file could not be read to its end.
        """
        pending, end_s = bytearray(), start_s
        size = round(RATE * CHUNK_S) * _SAMPLE_BYTES
        for samples in self._samples(start_s):
            pending += samples
            while len(pending) >= size:
                end_s += CHUNK_S
                yield bytes(pending[:size]), end_s
                del pending[:size]
        if self.file.failure is not None:
            raise Retryable("SOURCE_UNREADABLE", repr(self.file.failure)) from self.file.failure
        if pending:
            yield bytes(pending), end_s + len(pending) / _SAMPLE_BYTES / RATE

    def _samples(self, start_s: float) -> Iterator[bytes]:
        """Yield decoded samples, silence where the file leaves out, nothing where it repeats."""
        stream = self.container.streams.audio[0]
        origin_s = (self.container.start_time or 0) / av.time_base
        if start_s > 0:
            self.container.seek(round((start_s + origin_s) * av.time_base), backward=True)
        resampler = AudioResampler(format="s16", layout="mono", rate=RATE)
        at_s = start_s
        for decoded in self._decoded(stream):
            ahead_s = 0.0 if decoded.time is None else decoded.time - origin_s - at_s
            resampled = [frame.to_ndarray().reshape(-1) for frame in resampler.resample(decoded)]
            samples = _placed(np.concatenate(resampled or [_NOTHING]), ahead_s)
            at_s += samples.size / RATE
            yield samples.tobytes()

    def _decoded(self, stream: av.AudioStream) -> Iterator[av.AudioFrame]:
        """Yield frames; a damaged packet is skipped, as a player does."""
        for packet in self.container.demux(stream):
            try:
                yield from packet.decode()
            except av.error.InvalidDataError:
                continue


def _placed(samples: np.ndarray, ahead_s: float) -> np.ndarray:
    """Return a frame's samples with the silence before it, or without what was heard already."""
    if ahead_s > _HOLE_S:
        silence = np.zeros(round(min(ahead_s, _LONGEST_HOLE_S) * RATE), samples.dtype)
        return np.concatenate([silence, samples])
    if ahead_s < -_HOLE_S:
        return samples[round(-ahead_s * RATE) :]
    return samples


@contextmanager
def open_audio(file: StoredFile) -> Iterator[Audio]:
    """Yield a video's sound. Raises: BadInput for no video or none with sound; Retryable when it
    cannot be read.
    """
    try:
        container = av.open(file)
    except av.error.FFmpegError as error:
        if file.failure is not None:
            raise Retryable("SOURCE_UNREADABLE", repr(file.failure)) from error
        raise BadInput("NOT_A_VIDEO", "file_key: 열 수 없는 영상입니다.") from error
    with container:
        if not container.streams.audio:
            raise BadInput("NO_SOUND", "file_key: 소리가 없는 영상에는 자막을 만들 수 없습니다.")
        duration = container.duration
        yield Audio(file, container, duration / av.time_base if duration else None)
