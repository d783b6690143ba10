"""Takes back Korean words that tesseract read as English.

With two languages tesseract lets both models read each word and keeps the surer one; now and then
that is the English one's nonsense for a Korean word ("물로부터" as "SSPE"; CER 0.02 to 0.09 on the
photos of tests/recognition, 0.00 without it). So a column with lines in both scripts is read once
more in Korean alone, and a line of that is kept where it is the surer one and brings in nothing but
Hangul: English words are figures and signs there. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from worker_images.ai.ocr.text import HANGUL, LATIN, Line

#: Of the lower line's height that two readings of a line share.
_SAME_LINE = 0.5


def mixed(line: Line) -> bool:
    """Whether a line has letters of both scripts."""
    return bool(HANGUL.search(line.text) and LATIN.search(line.text))


def settled(both: Sequence[Line], korean: Sequence[Line]) -> list[Line]:
    """Return the lines that were read in both languages, or their readings in Korean alone where
    those are better.
    """
    return [_better(line, korean) if mixed(line) else line for line in both]


def _better(line: Line, korean: Sequence[Line]) -> Line:
    for other in korean:
        surer = other.confidence > line.confidence
        if surer and _overlap(line, other) and not _others(other) - _others(line):
            return other
    return line


def _others(line: Line) -> Counter[str]:
    """Return what is neither Hangul nor space: letters, figures, signs."""
    return Counter("".join(HANGUL.sub("", line.text).split()))


def _overlap(line: Line, other: Line) -> bool:
    (left, top, width, height), (x, y, w, h) = line.box, other.box
    across = min(left + width, x + w) - max(left, x)
    down = min(top + height, y + h) - max(top, y)
    return across > 0 and down > _SAME_LINE * min(height, h)
