"""The printed sheet: that it can be printed, and that no two things stand in one place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker_images.ai.omr import layout as page
from worker_images.ai.omr import sheet
from worker_images.ai.omr.layout import Layout, marker_origin, max_questions, printed_by


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    choices = draw(st.integers(page.MIN_CHOICES, page.MAX_CHOICES))
    return Layout(draw(st.integers(1, max_questions(choices))), choices)


@given(layouts())
def test_bubbles_never_touch_each_other_the_page_or_a_marker(layout: Layout) -> None:
    places = np.array([(bubble.x_mm, bubble.y_mm) for bubble in layout.bubbles()])

    assert len(places) == layout.questions * layout.choices
    assert layout.pitch_mm >= page.MIN_PITCH_MM - 1e-9
    apart = np.linalg.norm(places[:, None] - places[None], axis=2) + 99 * np.eye(len(places))
    assert apart.min() >= 2 * page.BUBBLE_RADIUS_MM + 1
    for corner in range(page.CORNERS):
        left, top = marker_origin(corner)
        clear = page.BUBBLE_RADIUS_MM + 2
        inside = (places > (left - clear, top - clear)).all(axis=1)
        inside &= (places < (left + page.MARKER_MM + clear, top + page.MARKER_MM + clear)).all(
            axis=1
        )
        assert not inside.any()
    assert places.min() > 10
    assert (places < (page.PAGE_WIDTH_MM - 10, page.PAGE_HEIGHT_MM - 10)).all()


@given(layouts())
def test_markers_name_their_corner_and_the_layout(layout: Layout) -> None:
    ids = layout.marker_ids()

    assert [marker_id % page.CORNERS for marker_id in ids] == [0, 1, 2, 3]
    assert max(ids) < 1000
    assert [printed_by(marker_id) for marker_id in ids] == [
        (layout.questions, None),
        (None, layout.choices),
        (layout.questions, None),
        (None, layout.choices),
    ]


def test_a_sheet_is_printed_as_a_pdf_of_a4(tmp_path: Path) -> None:
    target = tmp_path / "sheet.pdf"

    assert sheet.main(["--questions", "45", "--title", "중간고사", str(target)]) == 0

    document = pdfium.PdfDocument(target)
    assert len(document) == 1
    assert document[0].get_size() == pytest.approx((595.3, 841.9), abs=1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--questions", "0"], "--questions 0: 1 to 100"),
        (["--questions", "101"], "--questions 101: 1 to 100"),
        (["--questions", "5", "--choices", "1"], "--choices 1: 2 to 10"),
        (["--questions", "51", "--choices", "10"], "1 to 50 at 10 choices"),
    ],
)
def test_a_sheet_that_cannot_be_printed_is_refused(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        sheet.main([*arguments, str(tmp_path / "sheet.png")])

    assert said in capsys.readouterr().err
