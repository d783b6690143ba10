"""The status as an operator reads it."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from ops import status


def _shown(**changes: Any) -> str:
    """What `status` prints at 80 columns for two instances, with other facts as given."""
    instances = {"i-0aaaaaaaaaaaaaaaa": "InService", "i-0bbbbbbbbbbbbbbbb": "Terminating:Wait"}
    fleet = {"name": "academy-video-worker-asg", "desired": 2, "minimum": 0, "maximum": 3}
    found = {
        "environment": "local",
        "stacks": [{"name": "academy-local-api", "status": "CREATE_COMPLETE", "updated": "now"}],
        "queues": [],
        "fleets": [{**fleet, "instances": instances}],
        "jobs": {"video_backlog": 0.0},
        "metric": {"value": 2.0, "age_s": 4.4},
    }
    console = Console(file=io.StringIO(), width=80, no_color=True)
    status.show({**found, **changes}, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_status_cuts_no_name_at_80_columns() -> None:
    shown = _shown()
    for whole in (
        "academy-video-worker-asg",
        "i-0aaaaaaaaaaaaaaaa InService",
        "i-0bbbbbbbbbbbbbbbb",
    ):
        assert whole in shown


def test_status_tells_how_old_the_published_backlog_is() -> None:
    assert "2, published 4 s ago" in _shown()
    assert "nothing published in the last 180 s" in _shown(metric=None)


def test_an_error_with_brackets_is_shown_whole() -> None:
    assert "GET [/health]: refused" in _shown(jobs={"error": "GET [/health]: refused"})
