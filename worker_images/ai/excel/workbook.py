"""Spreadsheets as they leave the house: streamed to a file, and no cell a formula."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from xlsxwriter import Workbook

#: What a spreadsheet program takes for the beginning of a formula, also behind blanks:
#: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_WIDTH_CHARACTERS = 16
#: Excel's limit of a cell, past which XlsxWriter leaves the cell out.
_LONGEST_TEXT = 32_767

Cell = str | int | None


def write_workbook(
    path: Path, *, sheet: str, titles: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> int:
    """Write a sheet with a row of titles and return how many rows followed it.

    Rows go to a file beside `path` one by one, so that memory does not grow with them. Every text
    is a text cell; one that looks like a formula gets Excel's own mark of a text besides, for
    programs that would read it as one after it was saved as CSV.
    """
    options = {"constant_memory": True, "tmpdir": str(path.parent)}
    count = 0
    with Workbook(str(path), options) as workbook:
        bold, quoted = workbook.add_format({"bold": True}), workbook.add_format({"quote_prefix": 1})
        page = workbook.add_worksheet(sheet)
        page.set_column(0, len(titles) - 1, _WIDTH_CHARACTERS)
        page.freeze_panes(1, 0)
        for column, title in enumerate(titles):
            page.write_string(0, column, title, bold)
        for count, row in enumerate(rows, start=1):
            for column, value in enumerate(row):
                if isinstance(value, int):
                    page.write_number(count, column, value)
                elif value:
                    text = value[:_LONGEST_TEXT]
                    page.write_string(count, column, text, quoted if _is_formula(text) else None)
    return count


def _is_formula(value: str) -> bool:
    return value.lstrip(" ").startswith(_FORMULA)
