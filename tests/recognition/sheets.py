"""Answer sheets filled in by made-up pupils, with what they meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from tests.recognition.photos import Photo, Random, blurred
from worker_images.ai.omr.layout import BUBBLE_RADIUS_MM, Layout
from worker_images.ai.omr.sheet import PIXELS_PER_MM, render


class Kind(StrEnum):
    """How a question was answered."""

    FILLED = "filled"
    BLANK = "blank"
    TWO = "two marks"
    CORRECTED = "erased, then filled"
    ERASED = "erased"
    FAINT = "faint"
    CROSS = "cross"


#: Where nobody may be sure: these must go to review, or be read as `meant`.
UNCLEAR = (Kind.TWO, Kind.ERASED)


@dataclass(frozen=True)
class Label:
    """What stands on the sheet for a question. `meant` is the pupil's choice, None for none."""

    kind: Kind
    meant: int | None


@dataclass(frozen=True)
class Filled:
    """A filled sheet at 300 dpi, and its labels by question."""

    page: Photo
    labels: list[Label]


def filled(layout: Layout, random: Random, *, hand: float = 0.7, doubtful: float = 0.12) -> Filled:
    """Fill a sheet: `hand` is how dark the pencil is (0 to 1), `doubtful` the share of questions
    that are not plainly answered.
    """
    unusual = [kind for kind in Kind if kind is not Kind.FILLED]
    kinds = [
        unusual[random.integers(len(unusual))] if random.random() < doubtful else Kind.FILLED
        for _ in range(layout.questions)
    ]
    return answered(layout, kinds, random, hand=hand)


def answered(layout: Layout, kinds: Sequence[Kind], random: Random, *, hand: float) -> Filled:
    """Answer each question in its kind."""
    page = np.array(render(layout, title="모의고사"))
    labels = [
        _answer(page, layout, question, kind, (hand, random))
        for question, kind in enumerate(kinds, start=1)
    ]
    return Filled(page, labels)


def _answer(
    page: Photo, layout: Layout, question: int, kind: Kind, pupil: tuple[float, Random]
) -> Label:
    hand, random = pupil
    first, second = (int(c) + 1 for c in random.choice(layout.choices, 2, replace=False))
    x_mm, y_mm = layout.row(question)

    def mark(choice: int, darkness: float, *, cross: bool = False) -> None:
        at = (x_mm + (choice - 1) * layout.pitch_mm, y_mm)
        _mark(page, at, darkness, random, cross=cross)

    if kind is Kind.BLANK:
        return Label(kind, None)
    if kind is Kind.CROSS:
        mark(first, hand, cross=True)
    elif kind is Kind.FAINT:
        mark(first, hand * random.uniform(0.25, 0.45))
    elif kind is Kind.ERASED:
        mark(first, hand * random.uniform(0.1, 0.3))
        return Label(kind, None)
    else:
        mark(first, hand)
    if kind is Kind.TWO:
        mark(second, hand)
        return Label(kind, None)
    if kind is Kind.CORRECTED:
        mark(second, hand * random.uniform(0.1, 0.3))
    return Label(kind, first)


def _mark(
    page: Photo, at_mm: tuple[float, float], darkness: float, random: Random, *, cross: bool
) -> None:
    """Scribble into a bubble: off centre, uneven, not always to its rim."""
    reach = round(BUBBLE_RADIUS_MM * PIXELS_PER_MM * 1.5)
    x, y = (round(mm * PIXELS_PER_MM + random.normal(0, 2.5)) for mm in at_mm)
    ink = np.zeros((2 * reach, 2 * reach), np.uint8)
    radius = BUBBLE_RADIUS_MM * PIXELS_PER_MM
    if cross:
        arm = round(radius * 0.9)
        for sign in (1, -1):
            start, end = (reach - arm, reach - sign * arm), (reach + arm, reach + sign * arm)
            cv2.line(ink, start, end, 255, 6, cv2.LINE_AA)
    else:
        axes = (round(radius * random.uniform(0.8, 1.1)), round(radius * random.uniform(0.8, 1.1)))
        cv2.ellipse(ink, (reach, reach), axes, random.uniform(0, 180), 0, 360, 255, -1, cv2.LINE_AA)
        for _ in range(3):
            offset = int(random.integers(-reach, reach))
            cv2.line(ink, (0, reach + offset), (2 * reach, reach - offset), 120, 2, cv2.LINE_AA)
    grain = random.uniform(0.75, 1.15, ink.shape)
    cover = blurred(ink).astype(float) / 255 * darkness * grain
    area = page[y - reach : y + reach, x - reach : x + reach]
    area[:] = (area * (1 - cover.clip(0, 0.97))).astype(np.uint8)
