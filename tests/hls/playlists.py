"""Playlists read as RFC 8216 has them: what it does not name is a fault, not a comment."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(?:,|$)')
MASTER_TAGS = frozenset(
    {
        *("#EXTM3U", "#EXT-X-VERSION", "#EXT-X-INDEPENDENT-SEGMENTS"),
        *("#EXT-X-MEDIA", "#EXT-X-STREAM-INF"),
    }
)
MEDIA_TAGS = frozenset(
    {
        *("#EXTM3U", "#EXT-X-VERSION", "#EXT-X-TARGETDURATION", "#EXT-X-MEDIA-SEQUENCE"),
        *("#EXT-X-PLAYLIST-TYPE", "#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-MAP", "#EXTINF"),
        "#EXT-X-ENDLIST",
    }
)


@dataclass(frozen=True, order=True)
class Fault:
    """One broken rule, where it broke, and with which values."""

    rule: str
    where: str
    what: str


@dataclass(frozen=True)
class Listed:
    """A segment of a playlist; `duration_s` is its EXTINF."""

    uri: str
    duration_s: float


@dataclass(frozen=True)
class Variant:
    """An EXT-X-STREAM-INF with its URI."""

    uri: str
    attributes: dict[str, str]


@dataclass
class Master:
    """A multivariant playlist."""

    variants: list[Variant] = field(default_factory=list)
    media: list[dict[str, str]] = field(default_factory=list)


@dataclass
class Media:
    """A media playlist. `maps` are the URIs of its EXT-X-MAP tags."""

    tags: dict[str, str] = field(default_factory=dict)
    maps: list[str] = field(default_factory=list)
    segments: list[Listed] = field(default_factory=list)


def attributes(text: str) -> dict[str, str] | None:
    """Return an attribute list without its quotes, None when it is not one (RFC 8216, 4.2)."""
    found = {}
    at = 0
    while at < len(text):
        match = _ATTRIBUTE.match(text, at)
        if match is None or match[1] in found:
            return None
        found[match[1]] = match[2].strip('"')
        at = match.end()
    return found


def lines_of(path: Path, tags: frozenset[str], faults: list[Fault]) -> list[str]:
    """Return a playlist's lines, with the faults that any playlist can have."""
    raw = path.read_bytes()
    text = raw.decode("utf-8")
    lines = text.splitlines()
    if not lines or lines[0] != "#EXTM3U":
        faults.append(Fault("EXTM3U", path.name, "is not the first line"))
    if raw.startswith(b"\xef\xbb\xbf"):
        faults.append(Fault("EXTM3U", path.name, "a byte order mark stands before it"))
    seen = [line.partition(":")[0] for line in lines if line.startswith("#EXT")]
    faults += [
        Fault("unknown tag", path.name, tag) for tag in dict.fromkeys(seen) if tag not in tags
    ]
    for once in tags - {"#EXTINF", "#EXT-X-MEDIA", "#EXT-X-STREAM-INF", "#EXT-X-MAP"}:
        if seen.count(once) > 1:
            faults.append(Fault("tag twice", path.name, once))
    version = dict(_split(line) for line in lines).get("#EXT-X-VERSION", "0")
    if not version.isdecimal() or int(version) < 6:
        faults.append(Fault("EXT-X-VERSION", path.name, f"{version}, EXT-X-MAP needs 6"))
    return [line for line in lines if line]


def read_master(path: Path, faults: list[Fault]) -> Master:
    """Read a multivariant playlist."""
    master, pending = Master(), None
    for line in lines_of(path, MASTER_TAGS, faults):
        tag, value = _split(line)
        found = attributes(value) if tag in {"#EXT-X-STREAM-INF", "#EXT-X-MEDIA"} else {}
        if found is None:
            faults.append(Fault("attribute list", path.name, value))
            found = {}
        if pending is not None and line.startswith("#"):
            faults.append(Fault("EXT-X-STREAM-INF", path.name, "no URI in the next line"))
            pending = None
        if tag == "#EXT-X-STREAM-INF":
            pending = found
        elif tag == "#EXT-X-MEDIA":
            master.media.append(found)
        elif not line.startswith("#"):
            if pending is None:
                faults.append(Fault("EXT-X-STREAM-INF", path.name, f"none before {line}"))
            master.variants.append(Variant(line, pending or {}))
            pending = None
    return master


def read_media(path: Path, faults: list[Fault]) -> Media:
    """Read a media playlist."""
    media, pending = Media(), None
    lines = lines_of(path, MEDIA_TAGS, faults)
    for line in lines:
        tag, value = _split(line)
        if tag == "#EXTINF":
            pending = _extinf(value, path, faults)
        elif tag == "#EXT-X-MAP":
            if media.segments:
                faults.append(Fault("EXT-X-MAP", path.name, "after the first segment"))
            media.maps.append((attributes(value) or {}).get("URI", ""))
        elif line.startswith("#"):
            media.tags[tag] = value
        else:
            if pending is None:
                faults.append(Fault("EXTINF", path.name, f"none before {line}"))
            media.segments.append(Listed(line, pending or 0.0))
            pending = None
    if lines[-1:] != ["#EXT-X-ENDLIST"]:
        faults.append(Fault("EXT-X-ENDLIST", path.name, "is not the last line"))
    return media


def _extinf(value: str, path: Path, faults: list[Fault]) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?),.*", value)
    if match is None or float(match[1]) <= 0:
        faults.append(Fault("EXTINF", path.name, f"{value!r} is no duration"))
        return 0.0
    return float(match[1])


def _split(line: str) -> tuple[str, str]:
    tag, _, value = line.partition(":")
    return tag, value
