"""The finished videos, played: every rendition's frames, and every object accounted for."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.faults.world import World
from benchmarks.quality import frame_count
from config.contracts.storage_keys import MASTER_PLAYLIST, hls_prefix
from tests.hls.checker import check
from tests.hls.playlists import read_master, read_media

#: What stands beside the playlists: the poster, the thumbnails, and pages of them.
_PICTURES = ("thumbnail.jpg", "thumbnails.vtt", "sprite-")


@dataclass(frozen=True)
class VideoFacts:
    """A video that was ordered. `frames` are those of its renditions, `wanted` its source's.

    `faults` are the strict checker's, and objects below its prefix that nothing names.
    """

    video_id: int
    state: str
    wanted: int
    frames: Sequence[int]
    faults: Sequence[str]


def look_at(world: World, wanted: Mapping[int, int]) -> tuple[list[VideoFacts], list[str]]:
    """Return the videos, and the objects of the bucket that no row knows.

    `wanted` says how many frames each shall have, 0 for what is no video.
    """
    rows = world.rows("SELECT id, tenant_id, state, file_key FROM videos ORDER BY id")
    keys = world.keys("R2_VIDEO_BUCKET")
    known = {file_key for _, _, _, file_key in rows}
    prefixes = tuple(hls_prefix(tenant, one) for one, tenant, state, _ in rows if state == "READY")
    stray = [key for key in keys if key not in known and not key.startswith(prefixes)]
    found = []
    for one, tenant, state, _ in rows:
        if one in wanted:
            mine = [key for key in keys if key.startswith(hls_prefix(tenant, one))]
            found.append(_video(world, mine, VideoFacts(one, state, wanted[one], (), ())))
    return found, stray


def _video(world: World, keys: list[str], video: VideoFacts) -> VideoFacts:
    if video.state != "READY":
        return replace(video, faults=[f"stray {key}" for key in keys])
    with tempfile.TemporaryDirectory(dir=world.folder) as name:
        folder = Path(name)
        names = [key.partition(f"/hls/{video.video_id}/")[2] for key in keys]
        for key, one in zip(keys, names, strict=True):
            (folder / one).parent.mkdir(parents=True, exist_ok=True)
            bucket = world.environ["R2_VIDEO_BUCKET"]
            body = world.client("s3").get_object(Bucket=bucket, Key=key)["Body"]
            (folder / one).write_bytes(body.read())
        faults = [str(fault) for fault in check(folder)]
        named = _named(folder)
        strays = [one for one in names if one not in named and not one.startswith(_PICTURES)]
        faults += [f"stray {one}" for one in strays]
        master = read_master(folder / MASTER_PLAYLIST, [])
        frames = [frame_count(folder / variant.uri) for variant in master.variants]
    return replace(video, frames=frames, faults=faults)


def _named(folder: Path) -> set[str]:
    """Return what the playlists name, and the playlists."""
    master = read_master(folder / MASTER_PLAYLIST, [])
    uris = [variant.uri for variant in master.variants] + [each["URI"] for each in master.media]
    named = {MASTER_PLAYLIST, *uris}
    for uri in uris:
        media, own = read_media(folder / uri, []), Path(uri).parent
        named |= {str(own / one) for one in (*media.maps, *(s.uri for s in media.segments))}
    return named
