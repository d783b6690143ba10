"""Rules for a single rendition: its playlist against its bytes."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from statistics import median

from tests.hls.playlists import Fault
from tests.hls.rendition import Rendition, Sample

_IDR, _PARAMETER_SETS = 5, frozenset({7, 8})


def playlist_faults(rendition: Rendition) -> Iterator[Fault]:
    """Yield what its text breaks."""
    name, media = rendition.name, rendition.media
    target = media.tags.get("#EXT-X-TARGETDURATION", "")
    if not target.isdecimal():
        yield Fault("EXT-X-TARGETDURATION", name, f"{target!r} is no whole number")
    else:
        for listed in media.segments:
            if int(listed.duration_s + 0.5) > int(target):
                yield Fault("EXT-X-TARGETDURATION", name, f"{listed.duration_s} over {target}")
    if media.tags.get("#EXT-X-PLAYLIST-TYPE") != "VOD":
        yield Fault("EXT-X-PLAYLIST-TYPE", name, "is not VOD")
    if len(media.maps) != 1:
        yield Fault("EXT-X-MAP", name, f"{len(media.maps)} of them")
    uris = [*media.maps, *(listed.uri for listed in media.segments)]
    for uri in uris:
        if not (rendition.folder / uri).is_file():
            yield Fault("URI", name, f"{uri} is not there")
    if len(set(uris)) < len(uris) or not media.segments:
        yield Fault("URI", name, f"{len(uris)} named, {len(set(uris))} differ")
    for path in rendition.folder.iterdir():
        if path.suffix in {".m4s", ".mp4"} and path.name not in uris:
            yield Fault("left over", name, path.name)


def stream_faults(rendition: Rendition) -> Iterator[Fault]:
    """Yield what its bytes break."""
    kinds = [track.kind for track in rendition.tracks]
    if len(set(kinds)) < len(kinds):
        yield Fault("tracks", rendition.name, f"{kinds}")
    for track in rendition.tracks:
        whole = rendition.whole.get(track.kind, [])
        yield from _regular(rendition, track.kind, whole, track.tick)
        yield from _segments(rendition, track.kind)
        decoded = rendition.decoded(track.kind)
        # A packet before zero is the encoder's priming, which an edit list takes out.
        if decoded not in {len(whole), sum(sample.pts >= 0 for sample in whole)}:
            yield Fault("decodes", rendition.name, f"{decoded} of {len(whole)} {track.kind}")
    if "video" in kinds:
        yield from _independent(rendition)


def step(whole: list[Sample]) -> Fraction:
    """Return the mean distance of the samples of a track."""
    times = [sample.pts for sample in whole]
    return (max(times) - min(times)) / (len(times) - 1) if len(times) > 1 else whole[0].duration


def _regular(
    rendition: Rendition, kind: str, whole: list[Sample], tick: Fraction
) -> Iterator[Fault]:
    """Yield the samples that do not come one step after the one before, over all seams."""
    if not whole:
        yield Fault("tracks", rendition.name, f"no sample of {kind}")
        return
    times = sorted(sample.pts for sample in whole)
    steps = [after - before for before, after in pairwise(times)]
    expected = median(steps or [Fraction(0)])
    for before, after in pairwise(times):
        if abs(after - before - expected) > tick:
            what = f"{kind} at {float(before):.4f} then {float(after):.4f}"
            yield Fault("time stamps regular", rendition.name, what)
    for earlier, later in pairwise(whole):
        if later.dts <= earlier.dts:
            yield Fault("decoding order", rendition.name, f"{kind} at {float(later.dts):.4f}")
    for sample in whole:
        if sample.pts < sample.dts:
            yield Fault("decoding order", rendition.name, f"{kind} shown before it is decoded")


def _segments(rendition: Rendition, kind: str) -> Iterator[Fault]:
    """Yield the segments that do not last their EXTINF, or do not begin where the last ended."""
    first = rendition.segments[0].get(kind, [])
    begins = min((sample.pts for sample in first), default=Fraction(0))
    frame = step(rendition.whole[kind])
    listed_s = 0.0
    for listed, found in zip(rendition.media.segments, rendition.segments, strict=True):
        times = [sample.pts for sample in found.get(kind, [])]
        if not times:
            yield Fault("segment empty", rendition.name, f"{listed.uri} has no {kind}")
            continue
        span_s = float(max(times) - min(times) + frame)
        if abs(span_s - listed.duration_s) > frame:
            what = f"{listed.uri} lasts {span_s:.4f}, EXTINF {listed.duration_s}"
            yield Fault("EXTINF", rendition.name, what)
        if abs(float(min(times) - begins) - listed_s) > frame:
            what = f"{listed.uri} begins at {float(min(times) - begins):.4f}, listed {listed_s:.4f}"
            yield Fault("segment begin", rendition.name, what)
        listed_s += listed.duration_s


def _independent(rendition: Rendition) -> Iterator[Fault]:
    """Yield the segments that do not begin with an IDR picture, shown before all others of it."""
    for listed, found in zip(rendition.media.segments, rendition.segments, strict=True):
        pictures = found.get("video", [])
        if not pictures:
            continue
        if not pictures[0].is_key or _IDR not in pictures[0].nal_types:
            yield Fault("key frame first", rendition.name, listed.uri)
        if pictures[0].pts != min(picture.pts for picture in pictures):
            yield Fault("key frame first", rendition.name, f"{listed.uri} shows another before")
        if any(picture.is_key != (_IDR in picture.nal_types) for picture in pictures):
            yield Fault("key frame flags", rendition.name, listed.uri)
        if any(picture.nal_types & _PARAMETER_SETS for picture in pictures):
            yield Fault("one init", rendition.name, f"{listed.uri} carries parameter sets")
