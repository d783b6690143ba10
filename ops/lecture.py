"""The main job: upload a lecture video and follow it until it plays and the fleet is gone."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from config.contracts.queues import BY_KEY
from config.settings import Settings
from ops import clip, facts, lecture_view, places
from ops.api import Api, ApiUnreachableError
from ops.errors import OperatorError
from ops.operator_access import load_access
from ops.timeline import Moments, Snapshot, observe
from ops.view import live

_T = TypeVar("_T")

POLL_S = 1.0
#: Without an answer of the API for this long, following ends.
SILENCE_S = 120.0
#: Beyond a fleet's own idle time: booting, draining, the control loops.
REST_ROOM_S = 180.0


@dataclass(frozen=True)
class Lecture:
    """How a lecture ended: the last progress, and when everything happened."""

    video_id: int
    progress: dict[str, Any]
    moments: Moments

    @property
    def is_ready(self) -> bool:
        return self.progress.get("status") == "READY"


def default_clip(console: Console) -> Path:
    """Return the default clip, rendered at its first use."""
    path = places.state_directory() / "clips" / "lecture-1080p30-60s.mp4"
    if not path.is_file():
        console.print("  rendering the default lecture: 60 s, 1080p30, slides and a voice")
        clip.render(path)
    return path


def require_file(path: Path) -> None:
    """Raises: OperatorError unless `path` is a file that can be read."""
    hint = "give the path of a video: make up VIDEO=…"
    if not path.is_file():
        raise OperatorError(f"{path} is no file", hint=hint)
    if not os.access(path, os.R_OK):
        raise OperatorError(f"{path} may not be read by this user", hint=hint)


def run(settings: Settings, path: Path, console: Console, *, tenant_id: int) -> Lecture:
    """Upload a video, follow its job, and return how it ended. Raises: OperatorError."""
    require_file(path)
    api = Api(load_access(settings), tenant_id=tenant_id)
    before = facts.fleet(settings, "video")
    moments = Moments(
        began=time.time(),
        desired_before=before.desired if before else 0,
        instances_before=frozenset(before.instances if before else ()),
    )
    upload = api.init_upload(path)
    video_id = int(upload["video"]["id"])
    api.put(upload, path, console)
    moments = replace(moments, uploaded=time.time())
    api.complete_upload(video_id)
    return follow(settings, lambda: api.progress(video_id), video_id, moments, console)


def follow(
    settings: Settings,
    progress: Callable[[], dict[str, Any]],
    video_id: int,
    moments: Moments,
    console: Console,
) -> Lecture:
    """Look at the line until the job has ended and the fleet is back at its minimum."""
    rest_s = settings.workers["video"].idle_s + REST_ROOM_S
    heard_s = time.time()
    seen = Snapshot(heard_s, None, None, None, None)
    latest: dict[str, Any] = {}
    with live(console, lambda: lecture_view.board(seen, latest, moments)) as show:
        while moments.at_rest is None:
            seen = look(settings, progress)
            moments = observe(moments, seen)
            latest = dict(seen.progress) if seen.progress else latest
            heard_s = seen.at_s if seen.progress else heard_s
            show(lecture_view.line(seen, latest))
            if seen.at_s - heard_s > SILENCE_S:
                raise OperatorError(f"the API gave no answer for {SILENCE_S:.0f} s")
            if moments.ended and seen.at_s - moments.ended > rest_s:
                break
            time.sleep(POLL_S)
    return Lecture(video_id, latest, moments)


def look(settings: Settings, progress: Callable[[], dict[str, Any]]) -> Snapshot:
    """Look at the API and AWS once; what cannot be had is None."""
    return Snapshot(
        at_s=time.time(),
        progress=_or_none(progress),
        queue=_or_none(lambda: facts.queue(settings, BY_KEY["video"])),
        backlog=_or_none(lambda: facts.backlog(settings)),
        fleet=_or_none(lambda: facts.fleet(settings, "video")),
    )


def _or_none(ask: Callable[[], _T]) -> _T | None:
    try:
        return ask()
    except (ApiUnreachableError, BotoCoreError, ClientError):
        return None
