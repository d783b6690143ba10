"""Words as cues, and cues as WebVTT (https://www.w3.org/TR/webvtt1/). Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from worker_images.ai.subtitles.speech import Word

#: What is read in the time that it stands; two lines each. Hangul is twice as wide as Latin.
LINE_CHARACTERS = {"ko": 20}
OTHER_LINE_CHARACTERS = 40
_LINES = 2
LONGEST_S = 6.0
#: A cue that stands shorter is not read.
SHORTEST_S = 1.0
#: A silence that ends a cue.
PAUSE_S = 0.7


@dataclass(frozen=True)
class Cue:
    """Text that stands from `start_s` to `end_s`, its lines separated by line feeds."""

    start_s: float
    end_s: float
    text: str


def cues(words: Iterable[Word], language: str) -> list[Cue]:
    """Return the cues of a lecture in order; they never overlap."""
    width = LINE_CHARACTERS.get(language, OTHER_LINE_CHARACTERS)
    groups: list[list[Word]] = []
    for word in words:
        if not groups or _ends(groups[-1], word, width):
            groups.append([])
        groups[-1].append(word)
    until = [*(group[0].start_s for group in groups[1:]), float("inf")]
    return [_cue(group, width, until_s) for group, until_s in zip(groups, until, strict=False)]


def webvtt(found: Sequence[Cue]) -> str:
    """Return cues as a WebVTT file."""
    blocks = [
        f"{number}\n{_stamp(cue.start_s)} --> {_stamp(cue.end_s)}\n{_escaped(cue.text)}\n"
        for number, cue in enumerate(found, start=1)
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def _ends(group: Sequence[Word], word: Word, width: int) -> bool:
    """Whether a cue ends before `word`."""
    text = " ".join(each.text for each in (*group, word))
    pause = word.start_s - group[-1].end_s > PAUSE_S
    long = word.end_s - group[0].start_s > LONGEST_S
    return pause or long or len(_wrapped(text, width)) > _LINES


def _cue(group: Sequence[Word], width: int, until_s: float) -> Cue:
    start_s = group[0].start_s
    end_s = max(group[-1].end_s, min(start_s + SHORTEST_S, until_s))
    text = "\n".join(_wrapped(" ".join(word.text for word in group), width))
    return Cue(start_s, end_s, text)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def _stamp(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
