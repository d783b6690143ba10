"""What a camera or a scanner does to a page: every function takes and returns a grey picture."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

Photo = np.ndarray
Random = np.random.Generator


def rotated(page: Photo, degrees: float, *, table: int = 90) -> Photo:
    """Turn the page on a table of that grey, all of it in the picture."""
    height, width = page.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = (round(height * sin + width * cos) + 80, round(height * cos + width * sin) + 80)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    return cv2.warpAffine(page, matrix, size, flags=cv2.INTER_AREA, borderValue=table)


def tilted(page: Photo, random: Random, *, strength: float = 0.06, table: int = 90) -> Photo:
    """Look at the page from the side: each corner moves by up to `strength` of the width."""
    height, width = page.shape
    margin = round(width * strength) + 20
    corners = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
    moved = corners + margin + random.uniform(-1, 1, (4, 2)) * width * strength
    matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    size = (width + 2 * margin, height + 2 * margin)
    return cv2.warpPerspective(page, matrix, size, flags=cv2.INTER_AREA, borderValue=table)


def bent(page: Photo, *, millimetres: float = 1.5) -> Photo:
    """Curl the page so that its rows bow, on A4 by so many millimetres."""
    height, width = page.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    bow = millimetres * width / 210 * np.sin(np.pi * x / width)
    return cv2.remap(page, x, (y + bow).astype(np.float32), cv2.INTER_LINEAR, borderValue=255)


def noisy(page: Photo, random: Random, *, sigma: float = 14) -> Photo:
    """Add a sensor's grain."""
    return (page + random.normal(0, sigma, page.shape)).clip(0, 255).astype(np.uint8)


def speckled(page: Photo, random: Random, *, share: float = 0.01) -> Photo:
    """Add a copier's black and white dots."""
    dots = random.random(page.shape)
    return np.where(dots < share / 2, 0, np.where(dots > 1 - share / 2, 255, page)).astype(np.uint8)


def shadowed(page: Photo, random: Random, *, depth: float = 0.55) -> Photo:
    """Let a hand or a lamp darken one side, with a soft edge."""
    height, width = page.shape
    angle, offset = random.uniform(0, 2 * np.pi), random.uniform(-0.25, 0.25)
    y, x = np.mgrid[:height, :width]
    along = (x / width - 0.5) * np.cos(angle) + (y / height - 0.5) * np.sin(angle) - offset
    light = 1 - depth / (1 + np.exp(-along * 18))
    return (page * light).clip(0, 255).astype(np.uint8)


def blurred(page: Photo, *, sigma: float = 1.6) -> Photo:
    """Miss the focus."""
    return cv2.GaussianBlur(page, (0, 0), sigma)


def faded(page: Photo) -> Photo:
    """Take the contrast that a poor copier or a dim room leaves."""
    return (page * 0.45 + 90).astype(np.uint8)


def compressed(page: Photo, *, quality: int = 45) -> Photo:
    """Go through a messenger's JPEG."""
    _, data = cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)


def sized(page: Photo, *, dpi: float, of: float = 300) -> Photo:
    """Return a page of `of` dpi as a camera or a scanner of `dpi` sees it."""
    return cv2.resize(page, None, fx=dpi / of, fy=dpi / of, interpolation=cv2.INTER_AREA)


def encoded(page: Photo, extension: str = ".png") -> bytes:
    """Return the picture as a file's bytes."""
    return cv2.imencode(extension, page)[1].tobytes()


#: What happens to an answer sheet, by name; each starts from a page of 300 dpi.
SHEET_PHOTOS: dict[str, Callable[[Photo, Random], Photo]] = {
    "scan 150 dpi": lambda page, random: sized(page, dpi=150),
    "scan 100 dpi": lambda page, random: sized(page, dpi=100),
    "rotated": lambda page, random: rotated(sized(page, dpi=150), random.uniform(0, 360)),
    "perspective": lambda page, random: tilted(
        rotated(sized(page, dpi=150), random.uniform(0, 360)), random
    ),
    "shadow": lambda page, random: shadowed(
        rotated(sized(page, dpi=150), random.uniform(-15, 15)), random
    ),
    "noise": lambda page, random: noisy(
        rotated(sized(page, dpi=150), random.uniform(0, 360)), random, sigma=20
    ),
    "blur": lambda page, random: blurred(
        rotated(sized(page, dpi=150), random.uniform(0, 360)), sigma=2.2
    ),
    "bent": lambda page, random: rotated(
        bent(sized(page, dpi=150), millimetres=2), random.uniform(0, 360)
    ),
    "faded copy": lambda page, random: speckled(faded(sized(page, dpi=150)), random),
    "everything": lambda page, random: compressed(
        noisy(
            shadowed(
                tilted(
                    rotated(bent(sized(page, dpi=130)), random.uniform(0, 360)),
                    random,
                    strength=0.05,
                ),
                random,
            ),
            random,
            sigma=8,
        )
    ),
}
