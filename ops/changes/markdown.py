"""A comparison as a comment on a pull request: the loud part first, the rest folded."""

from __future__ import annotations

from collections.abc import Mapping

from ops.changes.model import Changes
from ops.changes.page import Cost, Page

#: GitHub takes 65,536 characters ("body is too long"); the rest is for a mark of who wrote it.
LIMIT = 65_000
_CUT = "\n\n**Cut here: a comment holds no more. `make diff` shows it all.**\n"


def summarise(changes: Mapping[str, Changes], costs: Mapping[str, Cost] | None = None) -> str:
    """Return the Markdown of the changes of each environment, at most `LIMIT` characters.

    `costs` is by environment too; one without a cost has no line for it. Where the room ends, the
    folded lists are cut first, with a note of how much was left out.
    """
    pages = [Page(name, found, (costs or {}).get(name)) for name, found in changes.items()]
    heads = [page.head() for page in pages]
    room = LIMIT - sum(len(head) for head in heads)
    waiting = sum(len(page.folds()) for page in pages)
    text = ""
    for page, head in zip(pages, heads, strict=True):
        text += head
        for fold in page.folds():
            # What one leaves over is for the next ones.
            body = fold.render(room // waiting)
            room, waiting = room - len(body), waiting - 1
            text += body
    return _cut(text)


def _cut(text: str) -> str:
    """Return a text that fits; it is too long only when the loud part alone is."""
    if len(text) <= LIMIT:
        return text
    return text[: LIMIT - len(_CUT)].rsplit("\n", 1)[0] + _CUT
