"""What every stack holds, by type. The last line of defence: read a difference, then pin it."""

from __future__ import annotations

import json

from tests.conftest import Templates
from tests.snapshots.pin import FOLDER, shape, stateful_ids


def test_logical_ids_of_stateful_resources_never_change(
    templates: Templates, environment: str
) -> None:
    """A changed id deletes the resource behind it; see `tests.snapshots.pin`."""
    pinned = json.loads((FOLDER / "stateful_ids.json").read_text("utf-8"))
    assert stateful_ids(templates) == pinned[environment]


def test_stacks_hold_what_they_held(templates: Templates, environment: str) -> None:
    pinned = json.loads((FOLDER / "shapes.json").read_text("utf-8"))
    assert shape(templates) == pinned[environment]
