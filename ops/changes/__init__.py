"""What a deploy would change, decided from templates alone: `compare`, `unsafe`, `summarise`.

Both sides are templates by stack name: of a recorded assembly (`assembly.read`), or of what is
deployed (`assembly.deployed`).
"""

from __future__ import annotations

from ops.changes.comparison import compare
from ops.changes.dangers import unsafe
from ops.changes.markdown import summarise
from ops.changes.model import Action, Changes, Danger, Kind, Templates
from ops.changes.page import Cost

__all__ = [
    "Action",
    "Changes",
    "Cost",
    "Danger",
    "Kind",
    "Templates",
    "compare",
    "summarise",
    "unsafe",
]
