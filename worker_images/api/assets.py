"""The page's own files, at addresses that hold a hash of their content.

`hls.min.js` comes from the npm registry: the image's Dockerfile copies it in.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.urls import reverse

STATIC_DIRECTORY = Path(__file__).parent / "static"
_TYPES = {
    "hls.min.js": "text/javascript; charset=utf-8",
    "watch.js": "text/javascript; charset=utf-8",
    "watch.css": "text/css; charset=utf-8",
}
_HASH_CHARACTERS = 16


@dataclass(frozen=True)
class Asset:
    """One file: `digest` is part of its address, so that it may be kept for ever."""

    name: str
    content: bytes
    content_type: str
    digest: str


@cache
def asset(name: str) -> Asset | None:
    """Return a file of the page, None when the name is unknown or the image lacks the file."""
    path = STATIC_DIRECTORY / name
    if name not in _TYPES or not path.is_file():
        return None
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:_HASH_CHARACTERS]
    return Asset(name, content, _TYPES[name], digest)


def address(name: str) -> str:
    """Return the path under which a file is served. Raises: FileNotFoundError."""
    found = asset(name)
    if found is None:
        raise FileNotFoundError(f"{STATIC_DIRECTORY / name} is missing from the image")
    return reverse("asset", args=[found.digest, found.name])
