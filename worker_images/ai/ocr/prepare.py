"""Makes a photo of a page look like a scan: flat, evenly lit, level, large enough."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from worker_images.ai.ocr.paper import flattening, paper_corners
from worker_images.ai.pictures import Grey, flat_light

#: Tesseract reads letters of about this height best, and larger ones as well:
#: https://tesseract-ocr.github.io/tessdoc/ImproveQuality.html#rescaling
LETTER_PX = 34
_SMALL_PX, _LARGE_PX = 26, 80
_MAX_SCALE = 4.0
_MAX_PIXELS = 40_000_000
_SKEW_SIDE_PX = 1000
#: A copier's dots: pixels darker than all around them by so much, and their share on a bad copy.
#: Clean scans, small print included, have a twentieth of it.
_DOT_STEP, _DOTS = 50, 0.0015
#: Share of the paper's shorter side that is cut off along its edges.
_RIM = 0.01


@dataclass(frozen=True)
class Prepared:
    """A picture to read, and the matrix (3 x 3) from the uploaded picture's pixels to its own;
    `letter_px` is about as high as its letters are.
    """

    picture: Grey
    matrix: np.ndarray
    letter_px: float

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return where a pixel of the prepared picture lies in the uploaded one."""
        placed = np.linalg.solve(self.matrix, np.array([x, y, 1.0]))
        return float(placed[0] / placed[2]), float(placed[1] / placed[2])

    def upside_down(self) -> Prepared:
        """Return the same picture turned by 180 degrees."""
        height, width = self.picture.shape
        turn = np.array([[-1.0, 0, width - 1], [0, -1.0, height - 1], [0, 0, 1.0]])
        turned = cv2.rotate(self.picture, cv2.ROTATE_180)
        return Prepared(turned, turn @ self.matrix, self.letter_px)


def prepare(photo: Grey) -> Prepared:
    """Return a page whose lines are level; whether it stands on its head is for the reader."""
    paper, flatten = _paper(photo)
    clean = _without_dots(flat_light(paper))
    level, turn = _level(clean, line_angle(clean))
    letter_px = _letter_px(level)
    matrix = turn @ flatten
    if _SMALL_PX <= letter_px <= _LARGE_PX:
        return Prepared(level, matrix, letter_px)
    scale = min(_MAX_SCALE, (_MAX_PIXELS / level.size) ** 0.5, LETTER_PX / letter_px)
    how = cv2.INTER_LINEAR if scale > 1 else cv2.INTER_AREA
    sized = cv2.resize(level, None, fx=scale, fy=scale, interpolation=how)
    return Prepared(sized, np.diag([scale, scale, 1.0]) @ matrix, letter_px * scale)


def _paper(photo: Grey) -> tuple[Grey, np.ndarray]:
    """Return the sheet of paper laid flat, and the matrix that does it."""
    corners = paper_corners(photo)
    if corners is None:
        return photo, np.eye(3)
    matrix, size = flattening(corners)
    flat = cv2.warpPerspective(photo, matrix, size, flags=cv2.INTER_CUBIC)
    rim = round(min(size) * _RIM)
    inside = flat[rim:-rim, rim:-rim]
    return inside, np.array([[1.0, 0, -rim], [0, 1.0, -rim], [0, 0, 1.0]]) @ matrix


def line_angle(clean: Grey) -> float:
    """Return the angle of the lines of text, in degrees above -90 and up to 90, clockwise.

    Seen along the lines, the ink falls into the sharpest stripes (Postl's method, as in leptonica's
    pixFindSkew: http://www.leptonica.org/papers/skew-measurement.pdf).
    """
    ink = _text_pixels(clean)
    if len(ink) < 50:
        return 0.0
    # Spread within their pixels: at 45 degrees the lattice itself would make the sharpest stripes.
    ink = ink + np.random.default_rng(0).uniform(-0.5, 0.5, ink.shape)
    coarse = max(np.arange(-89.0, 91.0), key=lambda degrees: _sharpness(ink, degrees))
    fine = coarse + np.arange(-1.0, 1.05, 0.1)
    return float(max(fine, key=lambda degrees: _sharpness(ink, degrees)))


def _sharpness(ink: np.ndarray, degrees: float) -> float:
    radians = np.deg2rad(degrees)
    across = ink[:, 1] * np.cos(radians) - ink[:, 0] * np.sin(radians)
    stripes = np.bincount((across - across.min()).astype(np.int32)).astype(float)
    return float(np.square(np.diff(stripes)).sum())


def _text_pixels(clean: Grey) -> np.ndarray:
    """Return the (x, y) of ink on a small copy, without edges of the page and pictures."""
    factor = min(1.0, _SKEW_SIDE_PX / max(clean.shape))
    small = cv2.resize(clean, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    _, ink = cv2.threshold(small, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink)
    large = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1) > max(small.shape) / 6
    large[0] = True
    y, x = np.nonzero(~large[labels])
    return np.column_stack([x, y])


def _level(clean: Grey, degrees: float) -> tuple[Grey, np.ndarray]:
    """Return the picture turned until its lines are level, on a canvas that holds all of it, and
    the matrix of that turn.
    """
    if abs(degrees) < 0.1:
        return clean, np.eye(3)
    height, width = clean.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = (round(height * sin + width * cos), round(height * cos + width * sin))
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    level = cv2.warpAffine(clean, matrix, size, flags=cv2.INTER_CUBIC, borderValue=255)
    return level, np.vstack([matrix, [0, 0, 1.0]])


def _without_dots(even: Grey) -> Grey:
    """Return the picture without a copier's dots, where it has any.

    Nothing else is smoothed: tesseract reads through a sensor's noise better than through the
    filters that take it away, and a median breaks small print.
    """
    around = np.ones((3, 3), np.uint8)
    around[1, 1] = 0
    alone = cv2.subtract(cv2.erode(even, around), even) > _DOT_STEP
    return cv2.medianBlur(even, 3) if alone.mean() > _DOTS else even


def _letter_px(level: Grey) -> float:
    """Return about how high the letters are: the tallest tenth of the strokes (ascenders, vowels)
    are a letter high.
    """
    _, ink = cv2.threshold(level, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    stats = cv2.connectedComponentsWithStats(ink)[2][1:]
    heights, widths = stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_WIDTH]
    strokes = heights[(heights >= 6) & (heights < level.shape[0] / 4) & (widths < 10 * heights)]
    return float(np.percentile(strokes, 90)) if strokes.size else LETTER_PX
