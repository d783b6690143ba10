"""The printed answer sheet: where everything stands, in mm from A4's upper left corner.

`sheet.py` prints it and `locate.py` and `marks.py` read it back: nothing else knows a position.
The four corner markers are ArUco markers whose ids say which corner it is, and how many questions
and choices were printed, so that a sheet is never graded by the layout of another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

PAGE_WIDTH_MM, PAGE_HEIGHT_MM = 210.0, 297.0
MARKER_MM = 14.0
#: Beyond what printers cannot print (about 5 mm), with the white rim that the detector needs.
MARKER_INSET_MM = 10.0
ROWS_PER_COLUMN = 25
ROW_MM = 8.8
FIRST_ROW_MM = 55.0
LEFT_MM, RIGHT_MM = 14.0, 196.0
#: Width of the question's number, left of its bubbles.
NUMBER_MM = 10.0
MAX_PITCH_MM, MIN_PITCH_MM = 8.0, 6.0
BUBBLE_RADIUS_MM = 2.4

MIN_CHOICES, MAX_CHOICES = 2, 10
#: Clockwise from the upper left, which is the order of a marker's own corners too.
CORNERS = 4


@dataclass(frozen=True)
class Bubble:
    """One circle: question and choice count from 1; the centre in mm."""

    question: int
    choice: int
    x_mm: float
    y_mm: float


@dataclass(frozen=True)
class Layout:
    """A sheet of `questions` rows with `choices` bubbles each."""

    questions: int
    choices: int

    @property
    def columns(self) -> int:
        """Blocks of up to 25 questions, side by side."""
        return -(-self.questions // ROWS_PER_COLUMN)

    @property
    def pitch_mm(self) -> float:
        """Distance of neighbouring bubbles."""
        free_mm = (RIGHT_MM - LEFT_MM) / self.columns - NUMBER_MM
        return min(MAX_PITCH_MM, free_mm / self.choices)

    def row(self, question: int) -> tuple[float, float]:
        """Return where a question's first bubble has its centre, in mm."""
        column, row = divmod(question - 1, ROWS_PER_COLUMN)
        left_mm = LEFT_MM + column * (RIGHT_MM - LEFT_MM) / self.columns
        x_mm = left_mm + NUMBER_MM + self.pitch_mm / 2
        return x_mm, FIRST_ROW_MM + row * ROW_MM

    def bubbles(self) -> Iterator[Bubble]:
        """Yield every bubble, question by question."""
        for question in range(1, self.questions + 1):
            x_mm, y_mm = self.row(question)
            for choice in range(1, self.choices + 1):
                yield Bubble(question, choice, x_mm + (choice - 1) * self.pitch_mm, y_mm)

    def marker_ids(self) -> tuple[int, int, int, int]:
        """Return the markers' ids clockwise from the upper left: the corner modulo 4, and the
        number of questions (upper left, lower right) or choices (the other two) times 4.
        """
        q, c = self.questions * CORNERS, self.choices * CORNERS
        return q, c + 1, q + 2, c + 3


def printed_by(marker_id: int) -> tuple[int | None, int | None]:
    """Return the (questions, choices) that a marker names; it names one of them."""
    number, corner = divmod(marker_id, CORNERS)
    return (number, None) if corner % 2 == 0 else (None, number)


def marker_origin(corner: int) -> tuple[float, float]:
    """Return a marker's upper left corner in mm; corners count clockwise from the upper left."""
    far_x = PAGE_WIDTH_MM - MARKER_INSET_MM - MARKER_MM
    far_y = PAGE_HEIGHT_MM - MARKER_INSET_MM - MARKER_MM
    x_mm = far_x if corner in (1, 2) else MARKER_INSET_MM
    y_mm = far_y if corner in (2, 3) else MARKER_INSET_MM
    return x_mm, y_mm


def max_questions(choices: int) -> int:
    """Return how many questions fit on a sheet whose bubbles are at least 6 mm apart."""
    column_mm = NUMBER_MM + choices * MIN_PITCH_MM
    return int((RIGHT_MM - LEFT_MM) // column_mm) * ROWS_PER_COLUMN
