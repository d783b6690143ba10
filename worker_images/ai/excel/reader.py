"""`python -m worker_images.ai.excel.reader SOURCE TARGET`: a roster becomes rows for COPY.

A process of its own: a file of 5 KB with one cell in the farthest corner makes calamine ask for
512 GB, which ends the process that asked, and anybody may upload one. Here memory and CPU time are
limited, and no heartbeat waits for the parse. roster.py starts it.

TARGET gets a line a student in PostgreSQL's text format: row, name, phone, parent's phone, school,
grade. Standard output gets one JSON object, a `Reading` or `{"code", "message"}` of a refusal.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from config.contracts.spreadsheets import (
    DAMAGED,
    MAX_ROWS,
    PASSWORD_PROTECTED,
    UNPACKS_TOO_LARGE,
)
from worker_images.ai.excel.columns import Header, NoHeader, column_letters, find_header
from worker_images.ai.excel.reading import Reading
from worker_images.ai.excel.students import Problem, Student, read_student

#: A roster of 100,000 rows and 15 columns of distinct texts takes 180 MB and 2 s.
MEMORY_BYTES = 768 * 1024 * 1024
CPU_S = 60

_EMPTY = ("EMPTY_FILE", "내용이 있는 시트가 없습니다. 학생 명단이 있는 파일을 올려 주세요.")
_NO_ROWS = ("NO_ROWS", "제목 행 아래에 학생이 없습니다. 학생을 적어 다시 올려 주세요.")
_TOO_MANY = (
    "TOO_MANY_ROWS",
    f"한 파일에 {MAX_ROWS:,}명까지 올릴 수 있습니다. 파일을 나누어 주세요.",
)


class Refused(Exception):  # noqa: N818 - says what became of the file
    """A file that holds no roster: a code for programs, a reason for a teacher."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code, reason)


def main() -> int:
    """Read a roster within the limits; a refusal is an answer like any other."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    source, target = (Path(argument) for argument in sys.argv[1:])
    try:
        answer = asdict(read(source, target))
    except Refused as error:
        answer = dict(zip(("code", "message"), error.args, strict=True))
    sys.stdout.write(json.dumps(answer, ensure_ascii=False))
    return 0


def read(source: Path, target: Path) -> Reading:
    """Write the students of the first visible sheet that has titles. Raises: Refused."""
    try:
        with CalamineWorkbook.from_path(source) as workbook:
            return _read(workbook, target)
    except PasswordError as error:
        raise Refused(*PASSWORD_PROTECTED) from error
    except CalamineError as error:
        raise Refused(*DAMAGED) from error
    except MemoryError as error:
        raise Refused(*UNPACKS_TOO_LARGE) from error
    except BaseException as error:
        # pyo3's, which is no Exception: a file that calamine's authors did not think of.
        if type(error).__name__ != "PanicException":
            raise
        raise Refused(*DAMAGED) from error


def _read(workbook: CalamineWorkbook, target: Path) -> Reading:
    refusal = Refused(*_EMPTY)
    for sheet in _visible_sheets(workbook):
        try:
            header = find_header(_rows(sheet))
        except NoHeader as error:
            refusal = Refused(error.code, str(error))
            continue
        with target.open("w", encoding="utf-8", newline="\n") as file:
            reading = _write(sheet, header, file)
        if not reading.rows and not reading.error_rows:
            raise Refused(*_NO_ROWS)
        return reading
    raise refusal


def _visible_sheets(workbook: CalamineWorkbook) -> Iterator[CalamineSheet]:
    """Yield the worksheets that hold something, one at a time in memory."""
    for index, facts in enumerate(workbook.sheets_metadata):
        if facts.typ != SheetTypeEnum.WorkSheet or facts.visible != SheetVisibleEnum.Visible:
            continue
        sheet = workbook.get_sheet_by_index(index)
        if sheet.height:
            yield sheet


def _rows(sheet: CalamineSheet) -> Iterator[list[object]]:
    """Yield every row from the first one on, from column A on; calamine leaves out the columns."""
    before: list[object] = [""] * (sheet.start[1] if sheet.start else 0)
    if before:
        return (before + row for row in sheet.iter_rows())
    return sheet.iter_rows()


def _write(sheet: CalamineSheet, header: Header, file: TextIO) -> Reading:
    reading = Reading(sheet.name)
    for number, row in enumerate(_rows(sheet), start=1):
        if number <= header.row + 1:
            continue
        found = read_student(row, header.columns)
        if isinstance(found, Student):
            if reading.rows == MAX_ROWS:
                raise Refused(*_TOO_MANY)
            reading.rows += 1
            file.write("\t".join((str(number), *found)).replace("\\", "\\\\") + "\n")
        elif found:
            _add_errors(reading, number, found, header)
    return reading


def _add_errors(reading: Reading, row: int, problems: list[Problem], header: Header) -> None:
    reading.error_rows += 1
    for problem in problems:
        reading.add_error(
            {
                "row": row,
                "column": column_letters(header.columns[problem.field]),
                "title": header.titles[problem.field],
                "value": problem.value,
                "reason": problem.reason,
            }
        )


if __name__ == "__main__":
    sys.exit(main())
