"""Reads one page, whichever way up it was photographed."""

from __future__ import annotations

from dataclasses import dataclass

from worker_images.ai.ocr.blocks import Block, blocks
from worker_images.ai.ocr.prepare import Prepared, prepare
from worker_images.ai.ocr.rivals import mixed, settled
from worker_images.ai.ocr.tesseract import Tesseract
from worker_images.ai.ocr.text import Line, lines, mean_confidence
from worker_images.ai.pictures import Grey
from worker_images.base.cancellation import Cancellation

#: Text that stands on its head is read with less: such a page is read the other way as well.
UPRIGHT_CONFIDENCE = 0.8
KOREAN = "kor"


@dataclass(frozen=True)
class Column:
    """A column of a page, and what was read there; the boxes are the column's own."""

    page: Prepared
    block: Block
    lines: list[Line]

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return where a pixel of the column lies in the uploaded picture."""
        return self.page.place(*self.block.place(x, y))


@dataclass(frozen=True)
class PageReader:
    """Reads pages with one tesseract."""

    tesseract: Tesseract

    def read(self, photo: Grey, cancellation: Cancellation) -> list[Line]:
        """Return the lines of a page, from top to bottom, column by column."""
        prepared = prepare(photo)
        columns = self._columns(prepared, cancellation)
        if _confidence(columns) < UPRIGHT_CONFIDENCE:
            turned = self._columns(prepared.upside_down(), cancellation)
            columns = max(columns, turned, key=_confidence)
        return [
            line.placed(column.place)
            for column in columns
            for line in self._settled(column, cancellation)
        ]

    def _columns(self, page: Prepared, cancellation: Cancellation) -> list[Column]:
        return [
            Column(page, block, self._lines(page, block, self.tesseract.languages, cancellation))
            for block in blocks(page.picture, page.letter_px)
        ]

    def _settled(self, column: Column, cancellation: Cancellation) -> list[Line]:
        """Return a column's lines without English nonsense for Korean words."""
        korean = KOREAN in self.tesseract.languages.split("+")
        if not korean or not any(map(mixed, column.lines)):
            return column.lines
        again = self._lines(column.page, column.block, KOREAN, cancellation)
        return settled(column.lines, again)

    def _lines(
        self, page: Prepared, block: Block, languages: str, cancellation: Cancellation
    ) -> list[Line]:
        said = self.tesseract.read(block.of(page.picture), languages, cancellation)
        return lines(said.tsv, said.text)


def _confidence(columns: list[Column]) -> float:
    return mean_confidence([line for column in columns for line in column.lines])
