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
