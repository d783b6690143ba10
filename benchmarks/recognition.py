"""How well pages and answer sheets are read, by what was done to the picture.

`python -m benchmarks.recognition [--sheets 30] [--pages 3] [--json]`. The set is generated and
labelled (tests/recognition): the same seeds give the same pictures. CER is without spaces. An
answer sheet's accuracy counts the plainly answered and blank questions that were read rightly
without review; "review" those of them that somebody has to look at for nothing; "falsely sure" the
questions of any kind that were read wrongly without review.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from statistics import mean

import numpy as np

from tests.recognition.omr_scores import Score
from tests.recognition.photos import SHEET_PHOTOS
from tests.recognition.sheets import filled
from tests.recognition.texts import PAGE_PHOTOS, TEXTS, page, rates
from worker_images.ai.ocr.page import PageReader
from worker_images.ai.ocr.tesseract import find_tesseract
from worker_images.ai.ocr.text import mean_confidence
from worker_images.ai.omr.grade import decide
from worker_images.ai.omr.layout import Layout
from worker_images.ai.omr.locate import flatten
from worker_images.ai.omr.marks import measure
from worker_images.base.cancellation import Cancellation
from worker_images.base.errors import BadInput

LAYOUTS = tuple(Layout(*size) for size in ((20, 5), (45, 5), (75, 5), (100, 5), (30, 4), (50, 10)))
FONTS = ("NanumGothic.ttf", "NanumMyeongjo.ttf", "NanumBarunGothic.ttf")


@dataclass(frozen=True)
class PageRow:
    """Means over the pages of one text and one kind of photo."""

    photo: str
    text: str
    cer: float
    wer: float
    confidence: float


@dataclass(frozen=True)
class SheetRow:
    """A kind of photo of answer sheets; `not_found` sheets were refused."""

    photo: str
    sheets: int
    not_found: int
    questions: int
    accuracy: float
    review: float
    unclear: int
    unclear_reviewed: int
    falsely_sure: int


def read_pages(photo: str, text: str, count: int) -> PageRow:
    """Read a text in `count` fonts and photos."""
    reader, found = PageReader(find_tesseract("kor+eng")), []
    for seed in range(count):
        printed = page(TEXTS[text], font=FONTS[seed % len(FONTS)])
        picture = PAGE_PHOTOS[photo](printed.picture, np.random.default_rng(seed))
        lines = reader.read(picture, Cancellation())
        said = "\n".join(line.text for line in lines)
        found.append((*rates(said, printed.lines), mean_confidence(lines)))
    cer, wer, confidence = (mean(column) for column in zip(*found, strict=True))
    return PageRow(photo, text, cer, wer, confidence)


def read_sheets(photo: str, count: int) -> SheetRow:
    """Read `count` sheets of six layouts, filled in by hands from faint to dark."""
    score, not_found = Score(), 0
    for seed in range(count):
        random, layout = np.random.default_rng(seed), LAYOUTS[seed % len(LAYOUTS)]
        sheet = filled(layout, random, hand=random.uniform(0.35, 0.9))
        picture = SHEET_PHOTOS[photo](sheet.page, random)
        try:
            flat = flatten(picture, layout)
        except BadInput:
            not_found += 1
            continue
        score.add(sheet.labels, decide(measure(flat.picture, layout)))
    return SheetRow(
        photo=photo,
        sheets=count,
        not_found=not_found,
        questions=score.questions,
        accuracy=score.accuracy,
        review=score.review_rate,
        unclear=score.unclear,
        unclear_reviewed=score.unclear_reviewed,
        falsely_sure=score.falsely_confident,
    )


def print_pages(rows: list[PageRow]) -> None:
    print("| OCR: photo | text | CER % | WER % | confidence |\n|---|---|---|---|---|")
    for row in rows:
        errors = f"{100 * row.cer:.1f} | {100 * row.wer:.1f}"
        print(f"| {row.photo} | {row.text} | {errors} | {row.confidence:.2f} |")


def print_sheets(rows: list[SheetRow]) -> None:
    print("\n| OMR: photo | sheets (not found) | questions | accuracy % | review % ", end="")
    print("| two marks, erased: to review | falsely sure |\n|---|---|---|---|---|---|---|")
    for row in rows:
        rightly = f"{100 * row.accuracy:.2f} | {100 * row.review:.2f}"
        unclear = f"{row.unclear_reviewed} of {row.unclear}"
        sheets = f"{row.sheets} ({row.not_found}) | {row.questions}"
        print(f"| {row.photo} | {sheets} | {rightly} | {unclear} | {row.falsely_sure} |")
    wrong, of = sum(row.falsely_sure for row in rows), sum(row.questions for row in rows)
    print(f"\nfalsely sure: {wrong} of {of} questions ({100 * wrong / max(1, of):.3f} %)")


def main() -> None:
    """Read the set and print both tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recognition")
    parser.add_argument("--sheets", type=int, default=30, help="answer sheets a kind of photo")
    parser.add_argument("--pages", type=int, default=3, help="pages a text and a kind of photo")
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    pages = [read_pages(photo, text, wanted.pages) for photo in PAGE_PHOTOS for text in TEXTS]
    sheets = [read_sheets(photo, wanted.sheets) for photo in SHEET_PHOTOS]
    if wanted.json:
        rows = {"ocr": [asdict(row) for row in pages], "omr": [asdict(row) for row in sheets]}
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    print_pages(pages)
    print_sheets(sheets)


if __name__ == "__main__":
    main()
