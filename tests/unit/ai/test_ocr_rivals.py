"""Which of two readings of a line is kept."""

from __future__ import annotations

import pytest

from worker_images.ai.ocr.rivals import settled
from worker_images.ai.ocr.text import Line, language, lines, mean_confidence

BOX = (10, 100, 400, 40)


@pytest.mark.parametrize(
    ("both", "korean", "kept"),
    [
        (("식물로 SSPE 만든다.", 0.7), ("식물로 포도당을 만든다.", 0.9), "korean"),
        (("식물로 SSPE 만든다.", 0.9), ("식물로 포도당을 만든다.", 0.8), "both"),
        (("지구(Earth)는 행성이다.", 0.7), ("지구(630)는 행성이다.", 0.9), "both"),
        (("Lesson 3", 0.7), ("가나다 3", 0.9), "both"),
        (("제3과 SSPE", 0.7), ("제3과 쪽", 0.9), "korean"),
        (("제3과 SSPE", 0.7), ("제과 쪽『", 0.9), "both"),
    ],
)
def test_a_korean_reading_is_kept_when_it_is_surer_and_brings_no_signs(
    both: tuple[str, float], korean: tuple[str, float], kept: str
) -> None:
    found = settled([Line(*both, BOX)], [Line(*korean, (12, 105, 390, 38))])

    assert found[0].text == (korean if kept == "korean" else both)[0]


def test_a_line_elsewhere_is_no_rival() -> None:
    line, below = Line("가 SSPE", 0.5, BOX), Line("가 나", 0.9, (10, 141, 400, 40))

    assert settled([line], [below]) == [line]


def test_lines_take_their_spaces_from_the_plain_text() -> None:
    head = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf"
    rows = [f"{head}\ttext", "4\t1\t1\t1\t1\t0\t0\t0\t90\t9\t-1\t"]
    for number, (text, confidence) in enumerate((("물", 90), ("음", 80), ('에"', 70))):
        rows.append(f"5\t1\t1\t1\t1\t{number}\t{30 * number}\t5\t20\t10\t{confidence}\t{text}")

    found = lines("\n".join(rows), '물음 에"\n')

    assert [line.text for line in found] == ['물음 에"']
    assert found[0].box == (0, 5, 80, 10)
    assert found[0].placed(lambda x, y: (-y, x)).box == (-15, 0, 10, 80)
    assert found[0].confidence == pytest.approx((0.9 + 0.8 + 2 * 0.7) / 4)


@pytest.mark.parametrize(
    ("text", "named"),
    [("", ""), ("123", ""), ("안녕", "kor"), ("hello", "eng"), ("안녕 hello", "kor+eng")],
)
def test_a_text_is_in_the_scripts_of_its_letters(text: str, named: str) -> None:
    assert language(text) == named


def test_nothing_read_is_not_sure_of_anything() -> None:
    assert mean_confidence([]) == 0.0
