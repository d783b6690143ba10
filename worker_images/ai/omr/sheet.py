"""Prints an answer sheet: `python -m worker_images.ai.omr.sheet --questions 30 sheet.pdf`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
from PIL import Image, ImageDraw, ImageFont

from worker_images.ai.omr import layout as page
from worker_images.ai.omr.layout import Layout

#: Markers of 5 x 5 bits, 1000 of them: 4 corners times up to 100 questions fit below that.
DICTIONARY = cv2.aruco.DICT_5X5_1000
#: Rendering at 300 dpi; coordinates on the page are in mm.
PIXELS_PER_MM = 300 / 25.4
#: Debian's fonts-nanum.
FONT = Path("/usr/share/fonts/truetype/nanum/NanumGothic.ttf")
INK, RING, HINT = 0, 80, 165
_RING_MM = 0.3
_FIELDS = ("학교", "학년 · 반", "번호", "이름")


def render(layout: Layout, *, title: str = "", font: Path = FONT) -> Image.Image:
    """Return the sheet as a grey picture of A4 at 300 dpi.

    The rings are dark enough to be found again in a photo; the digit in a bubble is so light that
    an unmarked bubble stays nearly white.
    """
    if not font.exists():
        raise FileNotFoundError(f"{font}: install Debian's fonts-nanum")
    size = (_px(page.PAGE_WIDTH_MM), _px(page.PAGE_HEIGHT_MM))
    picture = Image.new("L", size, 255)
    draw = ImageDraw.Draw(picture)
    _markers(picture, layout)
    _header(draw, title, font)
    _answers(draw, layout, font)
    return picture


def _markers(picture: Image.Image, layout: Layout) -> None:
    dictionary = cv2.aruco.getPredefinedDictionary(DICTIONARY)
    for corner, marker_id in enumerate(layout.marker_ids()):
        marker = cv2.aruco.generateImageMarker(dictionary, marker_id, _px(page.MARKER_MM))
        x_mm, y_mm = page.marker_origin(corner)
        picture.paste(Image.fromarray(marker), (_px(x_mm), _px(y_mm)))


def _header(draw: ImageDraw.ImageDraw, title: str, font: Path) -> None:
    middle = _px(page.PAGE_WIDTH_MM / 2)
    draw.text((middle, _px(18)), title, INK, ImageFont.truetype(font, _px(6)), anchor="mm")
    words = ImageFont.truetype(font, _px(3.5))
    for number, field in enumerate(_FIELDS):
        x_mm = 30 + number * 39
        draw.text((_px(x_mm), _px(34)), field, INK, words, anchor="ls")
        draw.line((_px(x_mm + 14), _px(35), _px(x_mm + 35), _px(35)), INK, _px(_RING_MM))
    hint = "정답의 원을 연필이나 검은 펜으로 가득 칠하세요."
    draw.text((middle, _px(43)), hint, INK, ImageFont.truetype(font, _px(3)), anchor="mm")


def _answers(draw: ImageDraw.ImageDraw, layout: Layout, font: Path) -> None:
    numbers = ImageFont.truetype(font, _px(3.6))
    digits = ImageFont.truetype(font, _px(2.6))
    radius = _px(page.BUBBLE_RADIUS_MM)
    for question in range(1, layout.questions + 1):
        x_mm, y_mm = layout.row(question)
        at = (_px(x_mm - page.BUBBLE_RADIUS_MM - 2), _px(y_mm))
        draw.text(at, str(question), INK, numbers, anchor="rm")
    for bubble in layout.bubbles():
        x, y = _px(bubble.x_mm), _px(bubble.y_mm)
        draw.text((x, y), str(bubble.choice), HINT, digits, anchor="mm")
        ring = (x - radius, y - radius, x + radius, y + radius)
        draw.ellipse(ring, outline=RING, width=_px(_RING_MM))


def _px(mm: float) -> int:
    return round(mm * PIXELS_PER_MM)


def main(arguments: list[str]) -> int:
    """Write the sheet that the command line asks for; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m worker_images.ai.omr.sheet")
    parser.add_argument("--questions", type=int, required=True)
    parser.add_argument("--choices", type=int, default=5)
    parser.add_argument("--title", default="")
    parser.add_argument("file", type=Path, help="a .pdf or a .png")
    wanted = parser.parse_args(arguments)
    if not page.MIN_CHOICES <= wanted.choices <= page.MAX_CHOICES:
        parser.error(f"--choices {wanted.choices}: {page.MIN_CHOICES} to {page.MAX_CHOICES}")
    most = page.max_questions(wanted.choices)
    if not 1 <= wanted.questions <= most:
        parser.error(f"--questions {wanted.questions}: 1 to {most} at {wanted.choices} choices")
    sheet = render(Layout(wanted.questions, wanted.choices), title=wanted.title)
    sheet.save(wanted.file, resolution=300)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
