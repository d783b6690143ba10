"""The check of a video's whole rendition: the master playlist and what it names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from tests.hls.playlists import Fault, Master, Variant, read_master, read_media
from tests.hls.rendition import Rendition
from tests.hls.rules import playlist_faults, step, stream_faults

_NEEDED = ("BANDWIDTH", "AVERAGE-BANDWIDTH", "CODECS", "RESOLUTION", "FRAME-RATE")
#: https://developer.apple.com/documentation/http-live-streaming/hls-authoring-specification-for-apple-devices
BANDWIDTH_SHARE = 0.1
MOST_DRIFT_S = 0.032


def check(folder: Path) -> list[Fault]:
    """Return every fault of the HLS below `folder`, whose master is `master.m3u8`."""
    faults: list[Fault] = []
    master = read_master(folder / "master.m3u8", faults)
    if "#EXT-X-INDEPENDENT-SEGMENTS" not in (folder / "master.m3u8").read_text().splitlines():
        faults.append(Fault("EXT-X-INDEPENDENT-SEGMENTS", "master.m3u8", "missing"))
    faults += _master_faults(master, folder)
    if faults:
        return faults
    videos = [_open(folder, variant.uri, faults) for variant in master.variants]
    sounds = {each["GROUP-ID"]: _open(folder, each["URI"], faults) for each in master.media}
    everything = [*videos, *sounds.values()]
    for rendition in everything:
        faults += playlist_faults(rendition)
    if faults:
        return faults
    for rendition in everything:
        faults += stream_faults(rendition)
    faults += [
        Fault("tracks", video.name, "no picture") for video in videos if "video" not in video.whole
    ]
    if any(fault.rule == "tracks" for fault in faults):
        return faults
    for variant, video in zip(master.variants, videos, strict=True):
        sound = sounds.get(variant.attributes.get("AUDIO", ""))
        faults += _variant_faults(variant, [video, sound] if sound else [video])
    faults += _aligned(videos)
    return faults


def _open(folder: Path, uri: str, faults: list[Fault]) -> Rendition:
    path = folder / uri
    return Rendition(uri, path.parent, read_media(path, faults))


def _master_faults(master: Master, folder: Path) -> Iterator[Fault]:
    where = "master.m3u8"
    if not master.variants:
        yield Fault("EXT-X-STREAM-INF", where, "no variant")
    groups = [media.get("GROUP-ID") for media in master.media if media.get("TYPE") == "AUDIO"]
    for media in master.media:
        for needed in ("TYPE", "GROUP-ID", "NAME", "URI", "CHANNELS"):
            if needed not in media:
                yield Fault("EXT-X-MEDIA", where, f"{needed} missing")
        if media.get("DEFAULT") != "YES" or media.get("AUTOSELECT") != "YES":
            yield Fault("EXT-X-MEDIA", where, "the only sound is not played by default")
    uris = [variant.uri for variant in master.variants]
    for variant in master.variants:
        for needed in _NEEDED:
            if needed not in variant.attributes:
                yield Fault("EXT-X-STREAM-INF", variant.uri, f"{needed} missing")
        group = variant.attributes.get("AUDIO")
        if group is not None and group not in groups:
            yield Fault("EXT-X-STREAM-INF", variant.uri, f"no group {group}")
    if len(set(uris)) < len(uris):
        yield Fault("EXT-X-STREAM-INF", where, "a rendition twice")
    for uri in [*uris, *(media.get("URI", "") for media in master.media)]:
        if not (folder / uri).is_file():
            yield Fault("URI", where, f"{uri} is not there")


def _variant_faults(variant: Variant, renditions: Sequence[Rendition]) -> Iterator[Fault]:
    """Yield where the attributes differ from the bytes of what plays together."""
    said, name = variant.attributes, variant.uri
    tracks = [track for rendition in renditions for track in rendition.tracks]
    codecs = sorted(track.codec for track in tracks)
    if sorted(said["CODECS"].split(",")) != codecs:
        yield Fault("CODECS", name, f"{said['CODECS']}, the init says {codecs}")
    width, height = next((track.size for track in tracks if track.kind == "video"), (0, 0))
    if said["RESOLUTION"] != f"{width}x{height}":
        yield Fault("RESOLUTION", name, f"{said['RESOLUTION']}, the init says {width}x{height}")
    fps = float(1 / step(renditions[0].whole["video"]))
    if abs(float(said["FRAME-RATE"]) - fps) > 0.002:
        yield Fault("FRAME-RATE", name, f"{said['FRAME-RATE']}, measured {fps:.4f}")
    peak = sum(peak_bps(rendition) for rendition in renditions)
    average = sum(average_bps(rendition) for rendition in renditions)
    for attribute, measured in (("BANDWIDTH", peak), ("AVERAGE-BANDWIDTH", average)):
        if abs(int(said[attribute]) - measured) > BANDWIDTH_SHARE * measured:
            yield Fault(attribute, name, f"{said[attribute]}, measured {measured:.0f}")
    yield from _drift(name, renditions)


def _drift(name: str, renditions: Sequence[Rendition]) -> Iterator[Fault]:
    """Yield where sound and picture do not begin or end together."""
    spans = {
        kind: (min(s.pts for s in found), max(s.pts for s in found) + step(found))
        for rendition in renditions
        for kind, found in rendition.whole.items()
    }
    if "audio" in spans:
        for side, moment in enumerate(("begin", "end")):
            drift_s = float(abs(spans["audio"][side] - spans["video"][side]))
            if drift_s > MOST_DRIFT_S:
                yield Fault("audio drift", name, f"{drift_s * 1000:.1f} ms at the {moment}")


def _aligned(videos: Sequence[Rendition]) -> Iterator[Fault]:
    """Yield the renditions whose segments begin elsewhere than the first one's."""
    begins = [_begins(video) for video in videos]
    for video, found in zip(videos, begins, strict=True):
        tick = max(track.tick for track in video.tracks)
        if len(found) != len(begins[0]) or any(
            abs(own - first) > tick for own, first in zip(found, begins[0], strict=True)
        ):
            yield Fault("aligned", video.name, "segments begin at other times")


def _begins(video: Rendition) -> list[Fraction]:
    return [min(sample.pts for sample in each["video"]) for each in video.segments]


def peak_bps(rendition: Rendition) -> float:
    """Return the peak segment bit rate of RFC 8216, 4.1, in bit/s."""
    target_s = int(rendition.media.tags["#EXT-X-TARGETDURATION"])
    sizes = [
        (s.duration_s, len(d))
        for s, d in zip(rendition.media.segments, rendition.data, strict=True)
    ]
    rates = []
    for first in range(len(sizes)):
        for last in range(first + 1, len(sizes) + 1):
            seconds = sum(duration for duration, _ in sizes[first:last])
            if seconds > 1.5 * target_s:
                break
            if seconds >= 0.5 * target_s:
                rates.append(8 * sum(size for _, size in sizes[first:last]) / seconds)
    return max(rates, default=average_bps(rendition))


def average_bps(rendition: Rendition) -> float:
    """Return the bits of all segments over their duration."""
    seconds = sum(listed.duration_s for listed in rendition.media.segments)
    return 8 * sum(map(len, rendition.data)) / seconds
