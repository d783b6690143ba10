"""Answer sheets in photos: accuracy on the generated set, and what goes to review."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from config.contracts.ai_jobs import AiJob
from tests.recognition.omr_scores import Score
from tests.recognition.photos import SHEET_PHOTOS, Photo, encoded, rotated, sized
from tests.recognition.sheets import Filled, Kind, answered, filled
from worker_images.ai.omr.grade import decide
from worker_images.ai.omr.handler import GradeSheet
from worker_images.ai.omr.layout import MARKER_MM, Layout, marker_origin
from worker_images.ai.omr.locate import flatten
from worker_images.ai.omr.marks import Marks, measure
from worker_images.base.testing import MemoryStorage
from worker_images.base.testing_run import Outcome, run_job

LAYOUTS = (Layout(20, 5), Layout(75, 5), Layout(30, 4), Layout(50, 10))
KEY = "tenants/7/ai/sheet.png"


def grade(data: bytes, **payload: Any) -> Outcome:
    fields = {"file_key": KEY, "questions": 20, **payload}
    job = AiJob(
        "3e2a8c3a-90f5-4f0e-8b5c-9b7c1d2e3f40", "omr_grading", "basic", fields, 7, "", "", ""
    )
    return run_job(GradeSheet(MemoryStorage({KEY: data})), job)


def plain(layout: Layout = LAYOUTS[0], seed: int = 1) -> Filled:
    """Return a sheet on which every question is answered plainly."""
    return filled(layout, np.random.default_rng(seed), doubtful=0)


def covered(page: Photo, corners: int) -> Photo:
    """Put thumbs on so many corner markers of a page at 300 dpi."""
    page = page.copy()
    for corner in range(corners):
        x, y = (round(mm * 300 / 25.4) for mm in marker_origin(corner))
        side = round(MARKER_MM * 300 / 25.4)
        cv2.circle(page, (x + side // 2, y + side // 2), side, 150, -1)
    return page


@pytest.mark.parametrize("name", SHEET_PHOTOS)
def test_sheets_are_read_rightly_however_they_were_photographed(name: str) -> None:
    score = Score()
    for seed, layout in enumerate(LAYOUTS):
        random = np.random.default_rng(seed)
        sheet = filled(layout, random, hand=random.uniform(0.4, 0.9))
        photo = SHEET_PHOTOS[name](sheet.page, random)
        score.add(sheet.labels, decide(measure(flatten(photo, layout).picture, layout)))

    assert score.accuracy >= 0.995
    assert score.review_rate <= 0.005
    assert score.falsely_confident == 0


@pytest.mark.parametrize("degrees", [0, 37, 90, 135, 180, 225.5, 270, 359])
def test_every_rotation_gives_the_same_score(degrees: float) -> None:
    sheet = plain()
    key = [label.meant for label in sheet.labels]
    key[0] = key[0] % 5 + 1

    outcome = grade(encoded(rotated(sized(sheet.page, dpi=130), degrees)), answer_key=key)

    assert outcome.state == "DONE"
    assert outcome.values["score"] == {
        "correct": 19,
        "wrong": 1,
        "blank": 0,
        "doubtful": 0,
        "questions": 20,
    }


@pytest.mark.parametrize("kind", [Kind.TWO, Kind.FAINT, Kind.CROSS])
def test_doubtful_marks_go_to_review_and_are_named(kind: Kind) -> None:
    # Given a sheet on which every fifth question is answered in a doubtful way
    kinds = [kind if number % 5 == 0 else Kind.FILLED for number in range(1, 21)]
    sheet = answered(LAYOUTS[0], kinds, np.random.default_rng(3), hand=0.7)

    # When it is graded
    key = [label.meant or 1 for label in sheet.labels]
    outcome = grade(encoded(sized(sheet.page, dpi=150)), answer_key=key)

    # Then those questions, and no others, are for somebody to look at, and earn nothing until then
    assert outcome.state == "REVIEW_REQUIRED"
    assert outcome.values["review"] == [5, 10, 15, 20]
    assert outcome.values["score"]["doubtful"] == 4
    assert outcome.values["score"]["correct"] == 16


@pytest.mark.parametrize(
    ("row", "ring", "choice", "doubt"),
    [
        ([0.02, 0.7, 0.03, 0.02, 0.02], 0.9, 2, ""),
        ([0.02, 0.02, 0.03, 0.02, 0.02], 0.9, None, ""),
        ([0.7, 0.68, 0.03, 0.02, 0.02], 0.9, None, "multiple"),
        ([0.02, 0.2, 0.03, 0.02, 0.02], 0.9, 2, "weak"),
        ([0.15, 0.7, 0.03, 0.02, 0.02], 0.9, 2, "trace"),
        ([0.02, 0.7, 0.03, 0.02, 0.02], 0.1, None, "unreadable"),
        ([1.0, 1.0, 1.0, 1.0, 1.0], 0.9, None, "multiple"),
    ],
)
def test_what_a_row_of_bubbles_means(
    row: list[float], ring: float, choice: int | None, doubt: str
) -> None:
    usual = [[0.7 if place == number % 5 else 0.02 for place in range(5)] for number in range(19)]
    marks = Marks(np.array([row, *usual]), np.array([ring, *[0.9] * 19]))

    answers = decide(marks)

    assert (answers[0].choice, answers[0].doubt) == (choice, doubt)
    assert 0 <= answers[0].confidence <= 1
    assert all(not answer.doubt for answer in answers[1:])


def test_a_faint_but_even_hand_is_read() -> None:
    sheet = answered(LAYOUTS[0], [Kind.FILLED] * 20, np.random.default_rng(4), hand=0.4)

    outcome = grade(encoded(sized(sheet.page, dpi=150)))

    assert outcome.state == "DONE"
    assert [each["choice"] for each in outcome.values["answers"]] == [
        label.meant for label in sheet.labels
    ]


def test_an_empty_sheet_is_blank_and_needs_nobody() -> None:
    sheet = answered(LAYOUTS[0], [Kind.BLANK] * 20, np.random.default_rng(5), hand=0.7)

    outcome = grade(encoded(sized(sheet.page, dpi=150)), answer_key=[3] * 20)

    assert outcome.state == "DONE"
    assert outcome.values["score"]["blank"] == 20


def test_a_thumb_on_one_corner_hides_nothing() -> None:
    sheet = plain()

    outcome = grade(encoded(sized(covered(sheet.page, 1), dpi=150)))

    assert outcome.state == "DONE"
    assert outcome.values["markers"] == 3
    assert [each["choice"] for each in outcome.values["answers"]] == [
        label.meant for label in sheet.labels
    ]


def test_thumbs_on_two_corners_ask_for_another_photo() -> None:
    outcome = grade(encoded(sized(covered(plain().page, 2), dpi=150)))

    assert (outcome.state, outcome.code) == ("REJECTED_BAD_INPUT", "SHEET_NOT_FOUND")
    assert "2개만" in outcome.message


def test_rows_that_something_covers_go_to_review() -> None:
    # Given a sheet with a pencil case over the bubbles of some questions
    page = plain().page
    page[round(90 * 300 / 25.4) : round(125 * 300 / 25.4), 200:900] = 120

    # When it is graded
    outcome = grade(encoded(sized(page, dpi=150)))

    # Then none of them is taken for an answer, and the rows far from it are read
    review = outcome.values["review"]
    assert {6, 7, 8} <= set(review) <= set(range(4, 11))


@pytest.mark.parametrize(("questions", "choices"), [(45, 5), (20, 4)])
def test_a_sheet_of_another_layout_is_refused(questions: int, choices: int) -> None:
    outcome = grade(encoded(sized(plain().page, dpi=150)), questions=questions, choices=choices)

    assert (outcome.state, outcome.code) == ("REJECTED_BAD_INPUT", "SHEET_OF_ANOTHER_LAYOUT")
    field, wanted, printed = ("questions", 45, 20) if questions == 45 else ("choices", 4, 5)
    assert f"{field}: {wanted}" in outcome.message
    assert f"{field}={printed}" in outcome.message


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"questions": 0}, ("questions", "'0'", "1~100")),
        ({"questions": 101}, ("questions", "'101'", "1~100")),
        ({"questions": 60, "choices": 10}, ("questions", "'60'", "1~50")),
        ({"choices": 1}, ("choices", "'1'", "2~10")),
        ({"answer_key": [1] * 19}, ("answer_key", "19개", "20개")),
        ({"answer_key": [6] + [1] * 19}, ("answer_key[0]", "'6'", "1~5")),
        ({"file_key": "tenants/8/ai/sheet.png"}, ("file_key", "tenants/7/ai/")),
        ({"file_key": "tenants/7/ai/none.png"}, ("file_key", "none.png")),
    ],
)
def test_a_payload_that_cannot_be_graded_is_refused(
    payload: dict[str, Any], said: tuple[str, ...]
) -> None:
    outcome = grade(b"never read", **payload)

    assert outcome.state == "REJECTED_BAD_INPUT"
    assert all(part in outcome.message for part in said), outcome.message


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"hello", "NOT_A_PICTURE"),
        (b"", "FILE_SIZE"),
        (b"%PDF-1.7 nothing follows", "BROKEN_PDF"),
        (encoded(np.full((900, 700), 255, np.uint8))[:1500], "BROKEN_PICTURE"),
        (encoded(np.full((900, 700), 255, np.uint8)), "SHEET_NOT_FOUND"),
    ],
)
def test_a_file_that_is_no_sheet_is_refused(data: bytes, code: str) -> None:
    outcome = grade(data)

    assert (outcome.state, outcome.code) == ("REJECTED_BAD_INPUT", code)
    assert outcome.message


def test_a_scanned_pdf_of_one_page_is_graded_and_one_of_two_refused() -> None:
    sheet = plain()
    scan = Image.fromarray(sized(sheet.page, dpi=150))
    one, two = io.BytesIO(), io.BytesIO()
    scan.save(one, "PDF", resolution=150)
    scan.save(two, "PDF", resolution=150, save_all=True, append_images=[scan])

    assert [each["choice"] for each in grade(one.getvalue()).values["answers"]] == [
        label.meant for label in sheet.labels
    ]
    assert grade(two.getvalue()).code == "NOT_ONE_SHEET"
