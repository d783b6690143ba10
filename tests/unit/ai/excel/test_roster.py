"""Files as people send them, read by the process that may die of them."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
from xlsxwriter import Workbook

from config.contracts import spreadsheets
from worker_images.ai.excel import roster
from worker_images.ai.excel.reading import MAX_ERRORS, Reading
from worker_images.ai.excel.roster import read_roster
from worker_images.base.cancellation import Cancellation
from worker_images.base.errors import BadInput, HandedBack, Retryable

TITLES = ("이름", "학생 전화", "학년")
HONG = ("홍길동", "010-1234-5678", 2)


@pytest.fixture
def read(tmp_path: Path) -> Callable[[bytes], tuple[Reading, list[list[str]]]]:
    """Read a file's bytes; the answer is what was told, and the rows for COPY."""

    def run(data: bytes) -> tuple[Reading, list[list[str]]]:
        source, target = tmp_path / "roster.xlsx", tmp_path / "roster.copy"
        source.write_bytes(data)
        reading = read_roster(source, target, Cancellation())
        return reading, [line.split("\t") for line in target.read_text("utf-8").splitlines()]

    return run


def book(**sheets: Sequence[Sequence[Any]]) -> bytes:
    """Return a workbook; the sheet `hidden` is hidden."""
    buffer = io.BytesIO()
    with Workbook(buffer, {"in_memory": True}) as workbook:
        for name, rows in sheets.items():
            sheet = workbook.add_worksheet(name)
            if name == "hidden":
                sheet.hide()
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return buffer.getvalue()


def placed(cells: dict[tuple[int, int], object]) -> bytes:
    buffer = io.BytesIO()
    with Workbook(buffer, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        for (row, column), value in cells.items():
            sheet.write(row, column, value)
    return buffer.getvalue()


def test_rows_are_written_as_copy_takes_them_with_their_numbers(read: Any) -> None:
    reading, rows = read(book(명단=[TITLES, HONG, (), ("김\\영희", "-", ""), HONG]))
    assert (reading.sheet, reading.rows, reading.error_rows) == ("명단", 2, 1)
    assert rows[0] == ["2", "홍길동", "01012345678", "", "", "2"]
    assert rows[1][0] == "5"
    assert reading.errors[0]["row"] == 4


def test_a_backslash_is_escaped_for_copy(read: Any) -> None:
    _, rows = read(book(명단=[TITLES, ("\\N", "01012345678", "")]))
    assert rows[0][1] == "\\\\N"


def test_a_sheet_that_starts_anywhere_is_told_in_excels_own_places(read: Any) -> None:
    data = placed(
        {
            (6, 3): "이름",
            (6, 4): "전화",
            (7, 3): "홍길동",
            (7, 4): "010-12",
            (8, 3): "김",
            (8, 4): 1012345678,
        }
    )
    reading, rows = read(data)
    assert [(each["row"], each["column"]) for each in reading.errors] == [(8, "E")]
    assert rows == [["9", "김", "01012345678", "", "", ""]]


def test_the_first_visible_sheet_with_titles_counts(read: Any) -> None:
    other = [("품목", "가격"), ("사과", 1000)]
    reading, rows = read(book(안내=other, hidden=[TITLES, HONG], 빈=[], 명단=[TITLES, HONG]))
    assert (reading.sheet, len(rows)) == ("명단", 1)


def test_many_errors_are_counted_and_the_first_ones_told(read: Any) -> None:
    bad = [("홍길동", "010-12", "")] * (MAX_ERRORS + 5)
    reading, rows = read(book(명단=[TITLES, *bad]))
    assert (reading.error_rows, len(reading.errors), reading.more_errors) == (105, 100, 5)
    assert rows == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "EMPTY_FILE"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "OLD_FORMAT"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "PASSWORD_PROTECTED",
        ),
        (b"\x89PNG\r\n", "NOT_XLSX"),
        (b"PK\x03\x04 and no more", "DAMAGED"),
        (book(빈=[]), "EMPTY_FILE"),
        (book(빈=[], hidden=[TITLES, HONG]), "EMPTY_FILE"),
        (book(명단=[TITLES]), "NO_ROWS"),
        (book(명단=[("품목", "가격")]), "HEADER_NOT_FOUND"),
        (book(명단=[("이름", "전화", "연락처"), HONG]), "AMBIGUOUS_HEADER"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_without_a_roster_is_bad_input_with_a_reason(
    read: Any, data: bytes, code: str
) -> None:
    with pytest.raises(BadInput) as caught:
        read(data)
    assert caught.value.code == code
    assert caught.value.message.endswith(".")


def test_damage_inside_of_the_archive_is_found(read: Any) -> None:
    data = bytearray(book(명단=[TITLES, *[HONG] * 500]))
    at = data.find(b"xl/worksheets/sheet1.xml") + 400
    data[at : at + 40] = bytes(40)
    with pytest.raises(BadInput) as caught:
        read(bytes(data))
    assert caught.value.code == "DAMAGED"


def test_a_cell_in_the_farthest_corner_ends_the_reader_and_not_the_worker(read: Any) -> None:
    with pytest.raises(BadInput) as caught:
        read(placed({(0, 0): "이름", (0, 1): "전화", (1_048_575, 16_383): 1}))
    assert caught.value.code == "UNPACKS_TOO_LARGE"


@pytest.mark.parametrize(("megabytes", "honest"), [(401, True), (200, False)])
def test_an_archive_that_unpacks_to_too_much_is_refused(
    read: Any, megabytes: int, honest: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer = io.BytesIO(placed({(0, 0): 1}))
    with (
        zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
        file.open("xl/sharedStrings.xml", "w") as entry,
    ):
        entry.write(b"<sst xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'>")
        for _ in range(megabytes):
            entry.write(b"<si><t>" + b"a" * 1024 * 1024 + b"</t></si>")
    if not honest:
        # As if the archive had lied of its size: the reader's own limit ends it.
        monkeypatch.setattr(spreadsheets, "MAX_UNPACKED_BYTES", sys.maxsize)
        monkeypatch.setattr(roster, "_READER", "tests.unit.ai.excel.small_reader")
    with pytest.raises(BadInput) as caught:
        read(buffer.getvalue())
    assert caught.value.code == "UNPACKS_TOO_LARGE"


def test_more_rows_than_a_file_may_have_are_refused(
    read: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from worker_images.ai.excel import reader

    monkeypatch.setattr(reader, "MAX_ROWS", 3)
    source = tmp_path / "x.xlsx"
    source.write_bytes(book(명단=[TITLES, *[HONG] * 3]))
    assert reader.read(source, tmp_path / "x.copy").rows == 3
    source.write_bytes(book(명단=[TITLES, *[HONG] * 4]))
    with pytest.raises(reader.Refused, match="TOO_MANY_ROWS"):
        reader.read(source, tmp_path / "x.copy")


def test_a_file_that_makes_calamine_panic_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from worker_images.ai.excel import reader

    panic = type("PanicException", (BaseException,), {})

    class Workbook:
        @staticmethod
        def from_path(source: Path) -> None:
            raise panic("index out of bounds")

    monkeypatch.setattr(reader, "CalamineWorkbook", Workbook)
    with pytest.raises(reader.Refused, match="DAMAGED"):
        reader.read(tmp_path / "x.xlsx", tmp_path / "x.copy")


@pytest.mark.parametrize("part", ["xl/workbook2.xml", "xl/Workbook.xml"])
def test_a_workbook_may_go_by_the_names_that_others_write(part: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(part, "<workbook/>")
    assert spreadsheets.refusal(buffer, len(buffer.getvalue())) is None


def test_a_cancelled_job_ends_its_reader(tmp_path: Path) -> None:
    source, cancellation = tmp_path / "roster.xlsx", Cancellation()
    source.write_bytes(book(명단=[TITLES, *[HONG] * 20_000]))
    cancellation.cancel(HandedBack("DRAIN", "the worker drains"))
    with pytest.raises(HandedBack):
        read_roster(source, tmp_path / "roster.copy", cancellation)
    readers = [each for each in psutil.Process().children() if roster._READER in each.cmdline()]
    assert readers == []


def test_a_reader_that_somebody_killed_is_tried_again(
    read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster, "_READER", "no.such.module")
    with pytest.raises(Retryable):
        read(book(명단=[TITLES, HONG]))


def test_the_reader_is_given_no_secret(
    read: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DB_PASSWORD", "hidden-from-the-reader")
    monkeypatch.setattr(roster, "_READER", "tests.unit.ai.excel.environment_reader")
    with pytest.raises(BadInput) as caught:
        read(book(명단=[TITLES, HONG]))
    assert caught.value.code == "ENVIRONMENT"
    assert "hidden-from-the-reader" not in caught.value.message
