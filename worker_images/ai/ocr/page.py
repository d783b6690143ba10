"""Reads one page, whichever way up it was photographed."""

from __future__ import annotations

from dataclasses import dataclass

from worker_images.ai.ocr.blocks import blocks
from worker_images.ai.ocr.prepare import Prepared, prepare
from worker_images.ai.ocr.tesseract import Tesseract
from worker_images.ai.ocr.text import Line, lines, mean_confidence
from worker_images.ai.pictures import Grey
from worker_images.base.cancellation import Cancellation

#: Text that stands on its head is read with less: such a page is read the other way as well.
UPRIGHT_CONFIDENCE = 0.8


@dataclass(frozen=True)
class PageReader:
    """Reads pages with one tesseract."""

    tesseract: Tesseract

    def read(self, photo: Grey, cancellation: Cancellation) -> list[Line]:
        """Return the lines of a page, from top to bottom, column by column."""
        prepared = prepare(photo)
        found = self._lines(prepared, cancellation)
        if mean_confidence(found) >= UPRIGHT_CONFIDENCE:
            return found
        turned = self._lines(prepared.upside_down(), cancellation)
        return max(found, turned, key=mean_confidence)

    def _lines(self, prepared: Prepared, cancellation: Cancellation) -> list[Line]:
        found: list[Line] = []
        for block in blocks(prepared.picture, prepared.letter_px):
            read = self.tesseract.read(block.of(prepared.picture), cancellation)
            found += lines(
                read.tsv,
                read.text,
                lambda x, y, block=block: prepared.place(*block.place(x, y)),
            )
        return found
