"""Text in pictures: accuracy on the generated set by real tesseract, and what goes to review."""

from __future__ import annotations

import io
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from config.contracts.ai_jobs import AiJob
from tests.recognition.photos import blurred, encoded, noisy, rotated, sized, tilted
from tests.recognition.texts import ENGLISH, KOREAN, MIXED, PAGE_PHOTOS, page, rates
from worker_images.ai.ocr import tesseract
from worker_images.ai.ocr.handler import ReadText
from worker_images.ai.ocr.page import PageReader
from worker_images.ai.ocr.tesseract import Tesseract, find_tesseract
from worker_images.base.cancellation import Cancellation
from worker_images.base.errors import ConfigurationError, HandedBack
from worker_images.base.testing import MemoryStorage
from worker_images.base.testing_run import Outcome, run_job

KEY = "tenants/7/ai/page.png"
CLEAN = page(KOREAN)


def read(
    data: bytes, *, program: Tesseract | None = None, cancellation: Cancellation | None = None
) -> Outcome:
    job = AiJob(
        "3e2a8c3a-90f5-4f0e-8b5c-9b7c1d2e3f40", "ocr", "lite", {"file_key": KEY}, 7, "", "", ""
    )
    reader = PageReader(program or find_tesseract("kor+eng"))
    handler = ReadText(MemoryStorage({KEY: data}), reader)
    return run_job(handler, job, cancellation=cancellation)


@pytest.mark.parametrize("name", PAGE_PHOTOS)
def test_korean_is_read_however_it_was_photographed(name: str) -> None:
    photo = PAGE_PHOTOS[name](CLEAN.picture, np.random.default_rng(7))

    outcome = read(encoded(photo))

    characters, _ = rates(outcome.values["text"], KOREAN)
    assert characters <= 0.03, outcome.values["text"]
    assert outcome.values["language"] == "kor"


@pytest.mark.parametrize("name", ["scan 100 dpi", "any rotation", "speckles", "shadow", "photo"])
def test_english_is_read_however_it_was_photographed(name: str) -> None:
    photo = PAGE_PHOTOS[name](page(ENGLISH).picture, np.random.default_rng(7))

    outcome = read(encoded(photo))

    characters, words = rates(outcome.values["text"], ENGLISH)
    assert characters <= 0.03, outcome.values["text"]
    assert words <= 0.06
    assert outcome.values["language"] == "eng"


def test_lines_of_a_page_on_its_side_do_not_take_each_others_place() -> None:
    # Given a page with a line that is read a second time, in Korean alone
    printed = page(KOREAN, font="NanumMyeongjo.ttf").picture
    photo = PAGE_PHOTOS["on its side"](printed, np.random.default_rng(1))

    found = read(encoded(photo)).values["text"].splitlines()

    assert len(set(found)) == len(KOREAN)
    assert rates("\n".join(found), KOREAN)[0] <= 0.03


def test_a_clean_scan_is_read_with_its_spaces_and_needs_nobody() -> None:
    outcome = read(encoded(CLEAN.picture))

    characters, words = rates(outcome.values["text"], KOREAN)
    assert characters <= 0.02
    assert words <= 0.05
    assert outcome.state == "DONE"
    assert outcome.values["mean_confidence"] > 0.9


def test_words_of_two_scripts_are_doubtful_and_go_to_review() -> None:
    outcome = read(encoded(page(MIXED).picture))

    assert outcome.values["language"] == "kor+eng"
    assert "Homework: 45쪽부터 52쪽까지 읽어 오세요." in outcome.values["text"]
    assert "02-1234-5678" in outcome.values["text"]
    assert outcome.state == "REVIEW_REQUIRED"


def test_a_page_that_nobody_could_read_goes_to_review() -> None:
    picture = noisy(
        blurred(sized(CLEAN.picture, dpi=60), sigma=2), np.random.default_rng(1), sigma=30
    )

    assert read(encoded(picture)).state == "REVIEW_REQUIRED"


def test_an_empty_page_has_no_text_and_goes_to_review() -> None:
    outcome = read(encoded(np.full((800, 600), 250, np.uint8)))

    assert outcome.state == "REVIEW_REQUIRED"
    assert (outcome.values["text"], outcome.values["lines"]) == ("", [])


@pytest.mark.parametrize("degrees", [0, 180, 20])
def test_boxes_lie_on_the_uploaded_picture(degrees: float) -> None:
    # Given a page with one line in its upper left, photographed turned
    one = page(ENGLISH[:1]).picture
    below = np.full((one.shape[0] * 2, one.shape[1]), 245, np.uint8)
    photo = rotated(np.vstack([one, below]), degrees, table=245)

    # When it is read
    line = read(encoded(photo)).values["lines"][0]

    # Then the box holds the ink, and all of it
    x, y, width, height = line["box"]
    outside = photo.copy()
    outside[max(0, y - 8) : y + height + 8, max(0, x - 8) : x + width + 8] = 245
    assert (outside < 120).sum() == 0
    assert width * height < photo.size / 3
    assert line["text"] == ENGLISH[0]


def test_two_columns_are_read_one_after_the_other() -> None:
    left, right = page(KOREAN[:5]).picture, page(ENGLISH[:5]).picture
    height = max(left.shape[0], right.shape[0])
    columns = [
        np.pad(each, ((0, height - each.shape[0]), (0, 0)), constant_values=245)
        for each in (left, right)
    ]

    outcome = read(encoded(np.hstack(columns)))

    characters, _ = rates(outcome.values["text"], (*KOREAN[:5], *ENGLISH[:5]))
    assert characters <= 0.05, outcome.values["text"]


def test_a_photo_of_a_sheet_on_a_table_is_cut_to_the_sheet() -> None:
    random = np.random.default_rng(2)
    picture = tilted(sized(CLEAN.picture, dpi=200), random, strength=0.05, table=70)

    outcome = read(encoded(picture))

    assert rates(outcome.values["text"], KOREAN)[0] <= 0.03, outcome.values["text"]


def test_a_pdf_is_read_page_by_page_and_reported() -> None:
    pages = [Image.fromarray(sized(page(lines).picture, dpi=150)) for lines in (KOREAN, ENGLISH)]
    file = io.BytesIO()
    pages[0].save(file, "PDF", resolution=150, save_all=True, append_images=pages[1:])

    values = read(file.getvalue()).values

    assert values["pages"] == 2
    assert rates(values["text"], (*KOREAN, *ENGLISH))[0] <= 0.05
    assert {line["page"] for line in values["lines"]} == {1, 2}


def test_an_exif_turned_picture_is_read_upright() -> None:
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    turned = Image.fromarray(np.rot90(page(ENGLISH).picture))
    turned.save(file, "JPEG", exif=exif, quality=90)

    assert rates(read(file.getvalue()).values["text"], ENGLISH)[0] <= 0.03


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"not a picture", "NOT_A_PICTURE"),
        (b"", "FILE_SIZE"),
        (b"%PDF-1.4", "BROKEN_PDF"),
        (encoded(CLEAN.picture)[:5000], "BROKEN_PICTURE"),
    ],
)
def test_a_file_that_is_no_page_is_refused(data: bytes, code: str) -> None:
    outcome = read(data)

    assert (outcome.state, outcome.code) == ("REJECTED_BAD_INPUT", code)


def test_a_cancelled_job_kills_tesseract_and_is_handed_back(tmp_path: Path) -> None:
    # Given a tesseract that never ends
    slow, cancellation = _program(tmp_path, "exec sleep 600"), Cancellation()
    before = {child.pid for child in psutil.Process().children()}

    # When the worker is told to stop
    reason = HandedBack("DRAINED", "the worker was told to stop")
    threading.Timer(0.5, cancellation.cancel, [reason]).start()
    outcome = read(encoded(CLEAN.picture), program=slow, cancellation=cancellation)

    # Then the job goes back without costing an attempt, and no process is left
    assert (outcome.state, outcome.attempts_used) == ("PENDING", 0)
    assert {child.pid for child in psutil.Process().children()} <= before


def test_a_tesseract_that_takes_too_long_is_killed_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tesseract, "LIMIT_S", 0.2)

    outcome = read(encoded(CLEAN.picture), program=_program(tmp_path, "exec sleep 600"))

    assert (outcome.state, outcome.code) == ("RETRYING", "TESSERACT_STALLED")


def test_a_tesseract_that_fails_is_tried_again_with_its_reason(tmp_path: Path) -> None:
    program = _program(tmp_path, "echo 'out of memory' >&2; exit 1")

    outcome = read(encoded(CLEAN.picture), program=program)

    assert (outcome.state, outcome.code) == ("RETRYING", "TESSERACT_FAILED")
    assert "out of memory" in outcome.message


def test_a_killed_worker_leaves_no_tesseract_behind(tmp_path: Path) -> None:
    # Given a worker in the middle of a page
    pid_file = tmp_path / "pid"
    script = _program(tmp_path, f"echo $$ > {pid_file}; exec sleep 600")
    code = (
        "import numpy as np\n"
        "from worker_images.ai.ocr.tesseract import Tesseract\n"
        "from worker_images.base.cancellation import Cancellation\n"
        "page = np.full((9, 9), 255, np.uint8)\n"
        f"Tesseract({script.path!r}, 'eng').read(page, 'eng', Cancellation())"
    )
    worker = subprocess.Popen([sys.executable, "-c", code])
    while not (pid_file.exists() and pid_file.read_text().strip()):
        time.sleep(0.02)

    # When it is killed
    worker.kill()
    worker.wait()

    # Then tesseract goes with it
    orphan = int(pid_file.read_text())
    gone = psutil.wait_procs([psutil.Process(orphan)] if psutil.pid_exists(orphan) else [], 10)
    assert not gone[1]


def test_a_missing_tesseract_stops_the_start_and_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ConfigurationError, match=r"tesseract missing: .*tesseract-ocr-kor"):
        find_tesseract("kor+eng")


def test_a_missing_language_stops_the_start_and_says_what_to_install() -> None:
    with pytest.raises(ConfigurationError, match=r"no jpn: .*tesseract-ocr-jpn"):
        find_tesseract("jpn+eng")


def _program(folder: Path, line: str) -> Tesseract:
    path = folder / "tesseract"
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return Tesseract(str(path), "kor+eng")
