"""Measures how dark every bubble of a flat sheet is, and how well its ring is seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from worker_images.ai.omr import layout as page
from worker_images.ai.omr.layout import CORNERS, Layout
from worker_images.ai.omr.locate import PIXELS_PER_MM
from worker_images.ai.pictures import Grey, flat_light

_RADIUS_PX = page.BUBBLE_RADIUS_MM * PIXELS_PER_MM
#: The ring's own width, blurred, stays outside of what is measured.
_INNER = 0.72
#: Paper bends: a row may lie this far from where the corners say, and a bubble from its row.
_SEARCH_MM, _TILT_MM = 2.4, 0.8
#: Rows on either side that bend alike.
_NEIGHBOURS = 2
#: Grain and a copier's dots are narrower than this; a pencil's stroke is not.
_DOT_PX = 5


@dataclass(frozen=True)
class Marks:
    """By question and choice. `darkness` is 0 for paper and 1 for the markers' black; `ring` is the
    correlation of a row with its printed rings, 1 at best: low where the sheet cannot be seen.
    """

    darkness: np.ndarray
    ring: np.ndarray


def measure(flat: Grey, layout: Layout) -> Marks:
    """Return the marks of a flat sheet."""
    even = flat_light(flat)
    ring = np.array([_find_row(even, layout, q) for q in range(1, layout.questions + 1)])
    centres = _centres(layout) + _smoothed(_offsets(even, layout, ring[:, :2]), layout)
    clean, disc = cv2.medianBlur(even, _DOT_PX), _disc()
    black = _black(clean)
    inside = [
        255 - cv2.getRectSubPix(clean, disc.shape, (float(x), float(y)))[disc].mean()
        for x, y in centres.reshape(-1, 2)
    ]
    darkness = np.reshape(inside, (layout.questions, layout.choices)) / (255 - black)
    return Marks(darkness.clip(0, 1), ring[:, 2])


def _black(even: Grey) -> float:
    """Return the markers' black in a picture of even light, their median dark quarter."""
    levels = []
    for corner in range(CORNERS):
        x, y = (round(mm * PIXELS_PER_MM) for mm in page.marker_origin(corner))
        side = round(page.MARKER_MM * PIXELS_PER_MM)
        levels.append(float(np.percentile(even[y : y + side, x : x + side], 25)))
    return min(150.0, float(np.median(levels)))


def _centres(layout: Layout) -> np.ndarray:
    """Return where the bubbles were printed, in pixels, by question and choice."""
    places = [(bubble.x_mm, bubble.y_mm) for bubble in layout.bubbles()]
    return np.reshape(places, (layout.questions, layout.choices, 2)) * PIXELS_PER_MM


@cache
def _rings(choices: int, pitch_px: float) -> Grey:
    """Return how the rings of a row look, white within and without."""
    width, height = round(pitch_px * (choices - 1) + 2.6 * _RADIUS_PX), round(2.6 * _RADIUS_PX)
    row = np.full((height, width), 255, np.uint8)
    for choice in range(choices):
        at = (round(1.3 * _RADIUS_PX + choice * pitch_px), round(1.3 * _RADIUS_PX))
        cv2.circle(row, at, round(_RADIUS_PX), 60, 3, cv2.LINE_AA)
    return cv2.GaussianBlur(row, (0, 0), 1.2)


def _find_row(even: Grey, layout: Layout, question: int) -> tuple[float, float, float]:
    """Return by how many pixels a row is off in x and y, and how much it looks like its rings."""
    x_mm, y_mm = layout.row(question)
    template = _rings(layout.choices, layout.pitch_mm * PIXELS_PER_MM)
    return _best(even, template, (x_mm * PIXELS_PER_MM, y_mm * PIXELS_PER_MM), _SEARCH_MM)


def _best(
    even: Grey, template: Grey, first_px: tuple[float, float], reach_mm: float
) -> tuple[float, float, float]:
    """Return the shift (x, y) within `reach_mm` at which rings fit best, and their correlation;
    `first_px` is where the first ring's centre should be.
    """
    reach = round(reach_mm * PIXELS_PER_MM)
    left, top = (round(at - 1.3 * _RADIUS_PX) - reach for at in first_px)
    height, width = template.shape
    area = even[top : top + height + 2 * reach, left : left + width + 2 * reach]
    _, score, _, (x, y) = cv2.minMaxLoc(cv2.matchTemplate(area, template, cv2.TM_CCOEFF_NORMED))
    return x - reach, y - reach, score


def _offsets(even: Grey, layout: Layout, rows: np.ndarray) -> np.ndarray:
    """Return by how many pixels each bubble is off, searched for around its row's own shift."""
    template = _rings(1, 0.0)
    around = _centres(layout) + rows[:, None, :]
    found = [_best(even, template, (x, y), _TILT_MM)[:2] for x, y in around.reshape(-1, 2)]
    return np.reshape(found, around.shape) + rows[:, None, :]


def _smoothed(offsets: np.ndarray, layout: Layout) -> np.ndarray:
    """Return the offsets as straight lines along each row, through the medians of the rows around
    it: paper bends, it does not jump, and a mark that hides its ring must not pull at it.
    """
    smooth = np.empty_like(offsets)
    steps = np.arange(layout.choices)
    for question in range(layout.questions):
        first = question - question % page.ROWS_PER_COLUMN
        last = min(first + page.ROWS_PER_COLUMN, layout.questions)
        rows = slice(max(first, question - _NEIGHBOURS), min(last, question + _NEIGHBOURS + 1))
        slope, start = np.polyfit(steps, np.median(offsets[rows], axis=0), 1)
        smooth[question] = start + steps[:, None] * slope
    return smooth


def _disc() -> np.ndarray:
    radius = _INNER * _RADIUS_PX
    side = 2 * round(radius) + 1
    y, x = np.mgrid[:side, :side] - side // 2
    return x * x + y * y <= radius * radius
