"""Tesseract's words as lines of text, with confidence and place. Pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

#: `(x, y)` of the picture that was read to `(x, y)` of the uploaded one.
Place = Callable[[float, float], tuple[float, float]]
HANGUL = re.compile("[\uac00-\ud7a3\u3131-\u318e]")
LATIN = re.compile("[A-Za-z]")
#: A script with a smaller share of the letters is noise, or a word among the others.
_LEAST_SHARE = 0.1


@dataclass(frozen=True)
class Word:
    """A word; `line` is what tesseract counts as its line. Confidence from 0 to 1."""

    text: str
    confidence: float
    line: tuple[int, int, int]
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Line:
    """A line of text; `box` is (x, y, width, height) in pixels of the picture that was read."""

    text: str
    confidence: float
    box: tuple[int, int, int, int]

    def placed(self, place: Place) -> Line:
        """Return the line with its box where `place` says."""
        x, y, width, height = self.box
        corners = [place(at, to) for at in (x, x + width) for to in (y, y + height)]
        return replace(self, box=_around(corners))

    @property
    def values(self) -> dict[str, Any]:
        """The line as it is stored."""
        return {
            "text": self.text,
            "confidence": round(self.confidence, 3),
            "box": list(self.box),
        }


def words(tsv: str) -> list[Word]:
    """Return the words of tesseract's TSV, in reading order."""
    found = []
    for row in csv.DictReader(tsv.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        text = (row["text"] or "").strip()
        if row["level"] != "5" or not text:
            continue
        left, top, width, height = (int(row[k]) for k in ("left", "top", "width", "height"))
        line = (int(row["block_num"]), int(row["par_num"]), int(row["line_num"]))
        confidence = max(0.0, float(row["conf"])) / 100
        found.append(Word(text, confidence, line, left, top, left + width, top + height))
    return found


def lines(tsv: str, text: str) -> list[Line]:
    """Return the lines of a column.

    The TSV takes Korean syllables for words; only `text`, tesseract's plain output, has the spaces
    between them. A line is as sure as its letters are on average.
    """
    grouped: dict[tuple[int, int, int], list[Word]] = {}
    for word in words(tsv):
        grouped.setdefault(word.line, []).append(word)
    spaced = {"".join(line.split()): " ".join(line.split()) for line in text.splitlines()}
    found = []
    for group in grouped.values():
        letters = "".join(word.text for word in group)
        said = spaced.get(letters, " ".join(word.text for word in group))
        found.append(Line(said, mean_confidence(group), _box(group)))
    return found


def mean_confidence(found: Sequence[Word | Line]) -> float:
    """Return the mean confidence weighted by letters, 0 without any."""
    letters = sum(len(each.text) for each in found)
    return sum(each.confidence * len(each.text) for each in found) / letters if letters else 0.0


def language(text: str) -> str:
    """Return what a text is written in, as tesseract names it: kor, eng, kor+eng, or ""."""
    counts = {"kor": len(HANGUL.findall(text)), "eng": len(LATIN.findall(text))}
    letters = sum(counts.values())
    return "+".join(name for name, n in counts.items() if letters and n / letters >= _LEAST_SHARE)


def _box(group: Sequence[Word]) -> tuple[int, int, int, int]:
    return _around(
        [corner for word in group for corner in ((word.left, word.top), (word.right, word.bottom))]
    )


def _around(points: Sequence[tuple[float, float]]) -> tuple[int, int, int, int]:
    left, top = min(x for x, _ in points), min(y for _, y in points)
    right, bottom = max(x for x, _ in points), max(y for _, y in points)
    return round(left), round(top), round(right - left), round(bottom - top)
