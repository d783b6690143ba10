"""The shell commands of the runbooks, as their fences mark them."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

_DOCS = Path(__file__).parent.parent / "docs"
ENGLISH = _DOCS / "runbook.md"
RUNBOOKS = (ENGLISH, _DOCS / "runbook.ko.md")
_FENCED = re.compile(r"^ *```bash *(?P<marked>\w*)\n(?P<text>.*?)^ *```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block: `marked` is local or account, where the commands run unchanged."""

    marked: str
    text: str


def blocks(path: Path) -> list[Block]:
    """Return a runbook's shell blocks in their order, without the indent of lists."""
    return [
        Block(found["marked"], textwrap.dedent(found["text"]))
        for found in _FENCED.finditer(path.read_text("utf-8"))
    ]


_HEADING = re.compile(r"^#+ +(?P<text>.+?) *$", re.MULTILINE)
_ANCHOR = re.compile(r'<a id="(?P<id>[^"]+)"></a>')


def anchors(path: Path) -> set[str]:
    """Return what links into a runbook may end with: GitHub's ids of its headings, and its own.

    https://docs.github.com/en/get-started/writing-on-github (section links)
    """
    outside = _FENCED.sub("", path.read_text("utf-8"))
    return {_slug(found["text"]) for found in _HEADING.finditer(outside)} | {
        found["id"] for found in _ANCHOR.finditer(outside)
    }


def _slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
