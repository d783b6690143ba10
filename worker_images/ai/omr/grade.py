"""Decides what was answered from how dark the bubbles are. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from worker_images.ai.omr.marks import Marks

#: Darkness of a mark that counts on a sheet of usual pencil; a faint hand lowers it, to the floor.
MARKED, MARKED_FLOOR = 0.38, 0.24
#: Darker than the sheet's paper by this is no paper any more: below a mark it may be one that was
#: erased or begun.
TRACE = 0.08
#: A row that looks less than this like its rings is covered, torn or blurred.
VISIBLE_RING = 0.28


@dataclass(frozen=True)
class Answer:
    """A question's answer: `choice` None is blank, or doubtful when `doubt` says why.

    `doubt` is "" or one of multiple, weak, trace, unreadable. `confidence` runs from 0 to 1.
    """

    question: int
    choice: int | None
    confidence: float
    doubt: str = ""

    @property
    def values(self) -> dict[str, Any]:
        """The answer as it is stored."""
        return {
            "question": self.question,
            "choice": self.choice,
            "confidence": round(self.confidence, 3),
            "doubt": self.doubt,
        }


def decide(marks: Marks) -> list[Answer]:
    """Return every question's answer.

    How dark a mark must be follows the sheet's own hand: the median of each question's darkest
    bubble among those that are no paper.
    """
    darkest = marks.darkness.max(axis=1)
    trace = float(np.median(marks.darkness.min(axis=1))) + TRACE
    hand = float(np.median(darkest[darkest > trace])) if (darkest > trace).any() else 1.0
    marked = max(trace, min(MARKED, max(MARKED_FLOOR, 0.6 * hand)))
    return [
        _answer(number, row, float(ring), marked, trace)
        for number, (row, ring) in enumerate(zip(marks.darkness, marks.ring, strict=True), start=1)
    ]


def _answer(question: int, row: np.ndarray, ring: float, marked: float, trace: float) -> Answer:
    order = np.argsort(row)[::-1]
    first, second = float(row[order[0]]), float(row[order[1]])
    choice = int(order[0]) + 1
    if ring < VISIBLE_RING:
        return Answer(question, None, 0.0, "unreadable")
    if first < trace:
        return Answer(question, None, 1 - first / trace / 2)
    if first < marked:
        return Answer(question, choice, (first - trace) / marked / 2, "weak")
    if second >= marked:
        return Answer(question, None, 0.0, "multiple")
    confidence = min(1.0, (first - second) / marked / 1.5)
    if second >= trace:
        return Answer(question, choice, confidence / 2, "trace")
    return Answer(question, choice, confidence)


def score(answers: Sequence[Answer], key: Sequence[int]) -> dict[str, int]:
    """Return how many answers are correct, wrong, blank and doubtful; doubtful ones earn nothing
    until somebody has looked at them.
    """
    counts = {"correct": 0, "wrong": 0, "blank": 0, "doubtful": 0}
    for answer, right in zip(answers, key, strict=True):
        if answer.doubt:
            counts["doubtful"] += 1
        elif answer.choice is None:
            counts["blank"] += 1
        else:
            counts["correct" if answer.choice == right else "wrong"] += 1
    return {**counts, "questions": len(key)}
