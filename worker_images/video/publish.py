"""From uploaded segments to a video that plays: playlists, pictures, and the master last."""

from __future__ import annotations

from collections.abc import Mapping

from config.contracts.storage_keys import INIT_SEGMENT, MASTER_PLAYLIST, MEDIA_PLAYLIST
from worker_images.base.storage import Storage
from worker_images.video.facts import StreamFacts, segment_name
from worker_images.video.master import master_playlist
from worker_images.video.part import Bench
from worker_images.video.plan import Plan
from worker_images.video.playlist import media_playlist
from worker_images.video.source import Source
from worker_images.video.sprite import make_poster, make_sprite
from worker_images.video.uploads import Uploads


def upload_pictures(source: Source, bench: Bench) -> list[str]:
    """Make and upload the poster and the thumbnails; return their names."""
    given = (bench.ffmpeg, bench.url(), source, bench.folder, bench.cancellation)
    poster = make_poster(*given)
    paths = [*([poster] if poster else []), *make_sprite(*given)]
    for path in paths:
        bench.uploads.put(path.name, path)
    return [path.name for path in paths]


def upload_playlists(plan: Plan, streams: Mapping[str, StreamFacts], uploads: Uploads) -> list[str]:
    """Upload what makes the segments play; return every name that the video consists of."""
    names = []
    for name, stream in streams.items():
        uploads.put_data(f"{name}/{INIT_SEGMENT}", stream.init)
        uploads.put_data(f"{name}/{MEDIA_PLAYLIST}", media_playlist(name, stream).encode())
        names += [f"{name}/{INIT_SEGMENT}", f"{name}/{MEDIA_PLAYLIST}"]
        names += [segment_name(name, segment.number) for segment in stream.segments]
    master = master_playlist(plan.ladder, plan.source.fps, streams)
    uploads.put_data(MASTER_PLAYLIST, master.encode())
    return [*names, MASTER_PLAYLIST]


def remove_others(storage: Storage, prefix: str, names: list[str]) -> None:
    """Delete what an earlier run with another plan left below the prefix."""
    kept = {f"{prefix}{name}" for name in names}
    for key in [key for key in storage.list_keys(prefix) if key not in kept]:
        storage.delete(key)
