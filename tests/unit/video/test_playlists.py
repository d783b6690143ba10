"""Segments count once they are complete; rates follow RFC 8216."""

from __future__ import annotations

import pytest

from worker_images.video.ladder import Rendition
from worker_images.video.master import Variant, codecs, master_playlist
from worker_images.video.playlist import (
    Listed,
    Rates,
    Segment,
    as_vod,
    is_ended,
    listed_segments,
    measure,
    target_duration_s,
)

GROWING = """#EXTM3U
#EXT-X-TARGETDURATION:6
#EXT-X-PLAYLIST-TYPE:EVENT
#EXT-X-MAP:URI="init.mp4"
#EXTINF:6.000000,
index0.m4s
#EXTINF:5.500000,
index1.m4s
#EXTINF:2.0"""


def test_only_listed_segments_are_complete() -> None:
    assert listed_segments(GROWING) == [Listed("index0.m4s", 6.0), Listed("index1.m4s", 5.5)]
    assert not is_ended(GROWING)
    assert is_ended(GROWING + "\n#EXT-X-ENDLIST\n")


def test_a_finished_playlist_says_that_nothing_follows() -> None:
    assert "#EXT-X-PLAYLIST-TYPE:VOD" in as_vod(GROWING)
    assert target_duration_s(GROWING) == 6
    with pytest.raises(ValueError, match="TARGETDURATION"):
        target_duration_s("#EXTM3U\n")


def test_a_short_last_segment_alone_is_no_peak() -> None:
    rates = measure([Segment(6, 6000), Segment(6, 12000), Segment(0.1, 5000)], target_s=6)
    assert rates.peak == round(17000 * 8 / 6.1)
    assert rates.average == round(23000 * 8 / 12.1)


def test_a_clip_shorter_than_half_a_segment_has_its_average_as_peak() -> None:
    assert measure([Segment(1, 1000)], target_s=6) == Rates(peak=8000, average=8000)


def test_codecs_come_from_the_init_segment() -> None:
    init = b"....avcC\x01\x64\x00\x28\xff...."
    assert codecs(init, has_audio=True) == "avc1.640028,mp4a.40.2"
    assert codecs(init, has_audio=False) == "avc1.640028"
    with pytest.raises(ValueError, match="avcC"):
        codecs(b"....", has_audio=False)


def test_the_master_names_every_attribute_smallest_first() -> None:
    variants = [
        Variant(Rendition(2, 1280, 720, 2500), Rates(2700000, 2600000), "avc1.64001f"),
        Variant(Rendition(1, 640, 360, 800), Rates(950000, 900000), "avc1.64001e"),
    ]
    assert master_playlist(variants, 29.97).splitlines()[3:] == [
        "#EXT-X-STREAM-INF:BANDWIDTH=950000,AVERAGE-BANDWIDTH=900000,"
        'RESOLUTION=640x360,FRAME-RATE=29.970,CODECS="avc1.64001e"',
        "v1/index.m3u8",
        "#EXT-X-STREAM-INF:BANDWIDTH=2700000,AVERAGE-BANDWIDTH=2600000,"
        'RESOLUTION=1280x720,FRAME-RATE=29.970,CODECS="avc1.64001f"',
        "v2/index.m3u8",
    ]
