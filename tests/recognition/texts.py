"""Pages of Korean and English text with what stands on them, and the usual error rates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tests.recognition.photos import (
    Photo,
    Random,
    blurred,
    compressed,
    faded,
    noisy,
    rotated,
    shadowed,
    sized,
    speckled,
    tilted,
)

FONTS = Path("/usr/share/fonts/truetype/nanum")
KOREAN = (
    "다음 글을 읽고 물음에 답하시오.",
    "광합성은 식물이 빛 에너지를 이용하여",
    "이산화탄소와 물로부터 포도당을 만드는 과정이다.",
    "이때 산소가 함께 만들어져 공기 중으로 나간다.",
    "식물은 밤에도 호흡을 하며 산소를 사용한다.",
    "세종대왕은 1443년에 훈민정음을 창제하였다.",
    "삼각형의 세 내각의 크기의 합은 180도이다.",
)
ENGLISH = (
    "Read the passage and answer the questions.",
    "Photosynthesis is the process by which green",
    "plants use sunlight to make their own food.",
    "Oxygen is released into the air as a result.",
    "Plants also breathe at night and use oxygen.",
    "The sum of the angles of a triangle is 180.",
)
MIXED = (
    "제3과 Lesson 3: The Solar System",
    "지구(Earth)는 태양에서 세 번째 행성이다.",
    "목성(Jupiter)은 가장 큰 행성으로 알려져 있다.",
    "Homework: 45쪽부터 52쪽까지 읽어 오세요.",
    "제출 기한은 12월 24일 금요일 오후 6시입니다.",
    "문의: 02-1234-5678 (English Office)",
)
TEXTS = {"Korean": KOREAN, "English": ENGLISH, "mixed": MIXED}


@dataclass(frozen=True)
class Page:
    """A page at 300 dpi and its lines."""

    picture: Photo
    lines: Sequence[str]


def page(lines: Sequence[str], *, font: str = "NanumGothic.ttf", points: float = 11) -> Page:
    """Set lines on a page of its own size, 300 dpi."""
    face = ImageFont.truetype(FONTS / font, round(points / 72 * 300))
    step, margin = round(face.size * 1.75), 150
    width = max(round(face.getlength(line)) for line in lines) + 2 * margin
    picture = Image.new("L", (width, step * len(lines) + 2 * margin), 245)
    draw = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        draw.text((margin, margin + number * step), line, 25, face)
    return Page(np.array(picture), lines)


#: What happens to a page, by name; each starts from 300 dpi.
PAGE_PHOTOS: dict[str, Callable[[Photo, Random], Photo]] = {
    "scan 300 dpi": lambda page, random: page,
    "scan 150 dpi": lambda page, random: sized(page, dpi=150),
    "scan 100 dpi": lambda page, random: sized(page, dpi=100),
    "skewed 7 degrees": lambda page, random: rotated(page, 7, table=235),
    "upside down": lambda page, random: rotated(sized(page, dpi=200), 180),
    "on its side": lambda page, random: rotated(sized(page, dpi=200), 90),
    "any rotation": lambda page, random: rotated(sized(page, dpi=200), random.uniform(0, 360)),
    "noise": lambda page, random: noisy(sized(page, dpi=200), random, sigma=28),
    "speckles": lambda page, random: speckled(sized(page, dpi=200), random, share=0.02),
    "shadow": lambda page, random: shadowed(sized(page, dpi=200), random, depth=0.7),
    "blur": lambda page, random: blurred(sized(page, dpi=200), sigma=1.8),
    "faded copy": lambda page, random: speckled(faded(sized(page, dpi=200)), random, share=0.005),
    "photo": lambda page, random: compressed(
        noisy(
            shadowed(
                tilted(
                    rotated(sized(page, dpi=200), random.uniform(-12, 12)), random, strength=0.02
                ),
                random,
            ),
            random,
            sigma=8,
        )
    ),
}


def error_rate(said: Sequence[str] | str, meant: Sequence[str] | str) -> float:
    """Return the edit distance by what was meant: CER of strings, WER of lists of words."""
    previous = list(range(len(said) + 1))
    for row, wanted in enumerate(meant, start=1):
        current = [row]
        for column, got in enumerate(said, start=1):
            swap = previous[column - 1] + (wanted != got)
            current.append(min(previous[column] + 1, current[-1] + 1, swap))
        previous = current
    return previous[-1] / max(1, len(meant))


def rates(said: str, meant: Sequence[str]) -> tuple[float, float]:
    """Return (CER without spaces, WER) of a page's text."""
    wanted = " ".join(meant)
    return error_rate("".join(said.split()), "".join(wanted.split())), error_rate(
        said.split(), wanted.split()
    )
