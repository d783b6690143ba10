"""Cuts a level page into its columns, in reading order.

Tesseract's own page analysis takes short Korean paragraphs for vertical writing and loses whole
lines (CER 0.77 on a clean scan, tests/recognition); told that there is one column (`--psm 6`), it
reads them without a fault. So the columns are cut here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from worker_images.ai.pictures import Grey

#: A gutter is at least so many letters wide, and lines of both columns stand beside it.
_GUTTER_LETTERS = 1.5
_LEAST_LINES = 3
#: White between bands, in letters: a heading stands off, the lines of a paragraph do not.
_BAND_LETTERS = 1.2


@dataclass(frozen=True)
class Block:
    """A part of a page, in pixels."""

    left: int
    top: int
    right: int
    bottom: int

    def of(self, page: Grey) -> Grey:
        """Return the block's picture."""
        return page[self.top : self.bottom, self.left : self.right]

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return where a pixel of the block's picture lies on the page."""
        return x + self.left, y + self.top


def blocks(page: Grey, letter_px: float) -> list[Block]:
    """Return the columns of a page from top to bottom and left to right; none without ink. Each
    has half a letter of white around it, with the full stops and accents that stand there.

    Bands of one column that follow each other stay one block: a program start costs 0.2 s.
    """
    ink = _ink(page, letter_px)
    found: list[Block] = []
    open_band = False
    for top, bottom in _runs(ink.any(axis=1), gap=_BAND_LETTERS * letter_px):
        columns = list(_columns(ink[top:bottom], letter_px))
        single = len(columns) == 1
        if single and open_band:
            last = found.pop()
            left, right = columns[0]
            found.append(Block(min(last.left, left), last.top, max(last.right, right), bottom))
        else:
            found += [Block(left, top, right, bottom) for left, right in columns]
        open_band = single
    return [_padded(block, page, round(letter_px / 2)) for block in found]


def _padded(block: Block, page: Grey, pad: int) -> Block:
    height, width = page.shape
    return Block(
        max(0, block.left - pad),
        max(0, block.top - pad),
        min(width, block.right + pad),
        min(height, block.bottom + pad),
    )


def _ink(page: Grey, letter_px: float) -> np.ndarray:
    """Return where letters are, without specks and without rules and the page's edges."""
    _, black = cv2.threshold(page, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(black)
    widths, heights = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    letters = (np.maximum(widths, heights) > letter_px / 6) & (heights < 4 * letter_px)
    letters &= widths < 15 * letter_px
    letters[0] = False
    return letters[labels]


def _columns(band: np.ndarray, letter_px: float) -> Iterator[tuple[int, int]]:
    """Yield the (left, right) of a band's columns; a band of few lines is one."""
    lines = len(list(_runs(band.any(axis=1), gap=1)))
    gap = _GUTTER_LETTERS * letter_px if lines >= _LEAST_LINES else band.shape[1]
    yield from _runs(band.any(axis=0), gap=gap)


def _runs(filled: np.ndarray, *, gap: float) -> Iterator[tuple[int, int]]:
    """Yield the (start, end) of what is filled, across holes narrower than `gap`."""
    places = np.flatnonzero(filled)
    if places.size == 0:
        return
    cuts = np.flatnonzero(np.diff(places) > max(1, gap))
    starts = [places[0], *places[cuts + 1]]
    ends = [*places[cuts], places[-1]]
    for start, end in zip(starts, ends, strict=True):
        yield int(start), int(end) + 1
