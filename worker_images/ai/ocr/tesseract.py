"""The tesseract program: started per column of a page, and killed with its job.

It is called as a program, not through tesserocr or pytesseract: a page that takes for ever can only
be ended by a kill, which the first (in this process) cannot do and the second does for time limits
but not for a cancelled job.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from worker_images.ai.pictures import Grey, as_png
from worker_images.base import launch
from worker_images.base.cancellation import Cancellation
from worker_images.base.errors import ConfigurationError, Retryable

#: A dense A4 page takes 3 to 10 s on one core.
LIMIT_S = 120.0
_POLL_S = 0.05
_STDERR_TAIL = 500
_PACKAGES = {"kor": "tesseract-ocr-kor", "eng": "tesseract-ocr-eng"}
#: One column (blocks.py cuts them), as TSV and, for the spaces between Korean words, as text.
_OPTIONS = ("--psm", "6", "tsv", "txt")


@dataclass(frozen=True)
class Read:
    """What tesseract wrote about a column: its words with places, and its lines as text."""

    tsv: str
    text: str


@dataclass(frozen=True)
class Tesseract:
    """The program at `path`, for text in `languages` (`kor+eng`).

    It runs with one thread, since jobs run beside each other.
    """

    path: str
    languages: str

    def read(self, column: Grey, languages: str, cancellation: Cancellation) -> Read:
        """Return what stands in a column, read in `languages` (`kor+eng`).

        Raises: what `cancellation` raises; Retryable when it fails or takes over two minutes.
        """
        with TemporaryDirectory(prefix="ocr-") as name:
            folder = Path(name)
            (folder / "page.png").write_bytes(as_png(column))
            self._run(folder, languages, cancellation)
            tsv, text = ((folder / f"out.{kind}").read_text("utf-8") for kind in ("tsv", "txt"))
        return Read(tsv, text)

    def _run(self, folder: Path, languages: str, cancellation: Cancellation) -> None:
        launcher = [sys.executable, "-I", launch.__file__, str(os.getpid())]
        errors = folder / "errors"
        with (
            errors.open("wb") as stderr,
            subprocess.Popen(
                [*launcher, self.path, "page.png", "out", "-l", languages, *_OPTIONS],
                cwd=folder,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                env={**os.environ, "OMP_THREAD_LIMIT": "1"},
            ) as process,
        ):
            try:
                _wait(process, cancellation)
            finally:
                process.kill()
        if process.returncode != 0:
            tail = errors.read_text(errors="replace")[-_STDERR_TAIL:].strip()
            raise Retryable("TESSERACT_FAILED", f"exit {process.returncode}: {tail}")


def _wait(process: subprocess.Popen[bytes], cancellation: Cancellation) -> None:
    waited_s = 0.0
    while True:
        try:
            process.wait(_POLL_S)
            return
        except subprocess.TimeoutExpired:
            waited_s += _POLL_S
        cancellation.check()
        if waited_s > LIMIT_S:
            raise Retryable("TESSERACT_STALLED", f"a column took over {LIMIT_S:.0f} s")


def find_tesseract(languages: str) -> Tesseract:
    """Return the installed program. Raises: ConfigurationError saying what to install."""
    wanted = languages.split("+")
    packages = " ".join(_PACKAGES.get(name, f"tesseract-ocr-{name}") for name in wanted)
    path = shutil.which("tesseract")
    if path is None:
        raise ConfigurationError(
            f"tesseract missing: apt-get install tesseract-ocr {packages} (Debian, Ubuntu)"
        )
    listed = subprocess.run([path, "--list-langs"], capture_output=True, text=True, check=False)
    lacking = sorted(set(wanted) - set(listed.stdout.split()))
    if lacking:
        raise ConfigurationError(
            f"OCR_LANGUAGES {languages!r}: tesseract has no {', '.join(lacking)}: "
            f"apt-get install {packages}"
        )
    return Tesseract(path, languages)
