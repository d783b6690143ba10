"""Words out of sound."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

import vosk

from worker_images.ai.subtitles.audio import RATE

#: The Korean model writes figures so: [4].
_FIGURE = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True)
class Word:
    """A word that was heard; times in seconds of the video, confidence from 0 to 1."""

    text: str
    start_s: float
    end_s: float
    confidence: float

    @property
    def values(self) -> dict[str, Any]:
        """The word as it is stored."""
        return asdict(self)


class Hearing:
    """Hears one lecture from `start_s` on. Not for two threads."""

    def __init__(self, model: vosk.Model, start_s: float) -> None:
        self._start_s = start_s
        self._recognizer = vosk.KaldiRecognizer(model, RATE)
        self._recognizer.SetWords(True)

    def hear(self, samples: bytes) -> list[Word] | None:
        """Take in samples of 16 bits; return the words of an utterance when it ended here."""
        if not self._recognizer.AcceptWaveform(samples):
            return None
        return self._words(self._recognizer.Result())

    def end(self) -> list[Word]:
        """Return the words of what was not yet an utterance."""
        return self._words(self._recognizer.FinalResult())

    def _words(self, answer: str) -> list[Word]:
        return [
            Word(
                _FIGURE.sub(r"\1", each["word"]),
                self._start_s + each["start"],
                self._start_s + each["end"],
                each["conf"],
            )
            for each in json.loads(answer).get("result", [])
        ]
