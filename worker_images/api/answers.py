"""Answers that stay as they are, kept in Redis for five minutes.

Kept is only what no worker changes any more: facts of a READY video until a retry. They are read
from the database whenever Redis is down.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.cache import cache
from rest_framework.utils.encoders import JSONEncoder

from worker_images.api.cache import guarded

KEPT_S = 300
#: A request that read the row before a change may end this much later; what it read is not kept.
_CHANGED_S = 60
_CHANGED = "changed"

Facts = dict[str, Any]


def progress_key(tenant_id: int, video_id: int) -> str:
    """Return the key of a video's progress, as its own tenant alone may see it."""
    return f"answer:{tenant_id}:progress:{video_id}"


def watch_key(video_id: int) -> str:
    """Return the key of what a video's page shows; its link is the permission."""
    return f"answer:watch:{video_id}"


def remembered(key: str, make: Callable[[], Facts], *, lasting: Callable[[Facts], bool]) -> Facts:
    """Return the facts kept under `key`, else what `make` finds, which is kept if `lasting`.

    Moments in kept facts are text, as the API writes them. Raises: what `make` raises.
    """
    kept = guarded(lambda: cache.get(key), lambda: None)
    if isinstance(kept, dict):
        return kept
    found = make()
    if lasting(found):
        # `add` writes nothing over the mark of a change.
        guarded(lambda: cache.add(key, found, timeout=KEPT_S), lambda: False)
    return found


def forget_video(tenant_id: int, video_id: int) -> None:
    """Keep nothing of a video that has just been changed. Call it after the commit."""
    keys = (progress_key(tenant_id, video_id), watch_key(video_id))
    for key in keys:
        mark = partial(cache.set, key, _CHANGED, timeout=_CHANGED_S)
        guarded(mark, lambda: None)


class JsonSerializer:
    """Values in Redis as JSON: nothing that lies there is ever run, as a pickle would be."""

    def dumps(self, value: Any) -> bytes:
        return json.dumps(value, cls=JSONEncoder).encode()

    def loads(self, data: bytes) -> Any:
        return json.loads(data)
