"""How well a set of labelled sheets was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.recognition.sheets import UNCLEAR, Kind, Label
from worker_images.ai.omr.grade import Answer


@dataclass
class Score:
    """Counts over questions. `plain` ones are filled or blank as they should be."""

    plain: int = 0
    plain_right: int = 0
    plain_reviewed: int = 0
    unclear: int = 0
    unclear_reviewed: int = 0
    falsely_confident: int = 0
    questions: int = 0

    def add(self, labels: Sequence[Label], answers: Sequence[Answer]) -> None:
        """Count a sheet."""
        for label, answer in zip(labels, answers, strict=True):
            self.questions += 1
            right = answer.choice == label.meant
            sure = not answer.doubt
            if label.kind in (Kind.FILLED, Kind.BLANK):
                self.plain += 1
                self.plain_right += sure and right
                self.plain_reviewed += not sure
            if label.kind in UNCLEAR:
                self.unclear += 1
                self.unclear_reviewed += not sure
            self.falsely_confident += sure and not right

    @property
    def accuracy(self) -> float:
        """Share of plain questions read rightly and surely."""
        return self.plain_right / max(1, self.plain)

    @property
    def review_rate(self) -> float:
        """Share of plain questions that somebody has to look at for nothing."""
        return self.plain_reviewed / max(1, self.plain)
