"""Playlists say what was measured; rates follow RFC 8216."""

from __future__ import annotations

from fractions import Fraction

import pytest

from worker_images.video.boxes import codec
from worker_images.video.facts import PartFacts, StreamFacts, joined
from worker_images.video.ladder import Rendition
from worker_images.video.master import master_playlist
from worker_images.video.playlist import Rates, Timed, measure, media_playlist
from worker_images.video.segments import SegmentFacts

INIT = b"....avcC\x01\x64\x00\x28\xff...."
SOUND = b"....mp4a...."


def stream(init: bytes, *sizes: int, seconds: float = 6) -> StreamFacts:
    ticks = round(seconds * 1000)
    segments = [SegmentFacts(n, n * ticks, ticks, size) for n, size in enumerate(sizes)]
    return StreamFacts(init, 1000, tuple(segments))


def test_a_short_last_segment_alone_is_no_peak() -> None:
    rates = measure([Timed(6, 6000), Timed(6, 12000), Timed(0.1, 5000)], target_s=6)
    assert rates.peak == round(17000 * 8 / 6.1)
    assert rates.average == round(23000 * 8 / 12.1)


def test_a_clip_shorter_than_half_a_segment_has_its_average_as_peak() -> None:
    assert measure([Timed(1, 1000)], target_s=6) == Rates(peak=8000, average=8000)


def test_a_segment_lasts_until_the_next_one_begins() -> None:
    found = StreamFacts(INIT, 1000, (SegmentFacts(0, 0, 5900, 1), SegmentFacts(2, 12_000, 40, 1)))
    text = media_playlist("v1", found)
    assert "#EXTINF:12.000000,\nindex0.m4s\n#EXTINF:0.040000,\nindex2.m4s\n" in text
    assert "#EXT-X-TARGETDURATION:12\n" in text
    assert text.endswith("#EXT-X-ENDLIST\n")


def test_codecs_come_from_the_init_segment() -> None:
    assert codec(INIT) == "avc1.640028"
    assert codec(SOUND) == "mp4a.40.2"
    with pytest.raises(ValueError, match="init segment"):
        codec(b"....")


def test_the_master_names_every_attribute_smallest_first_and_counts_the_sound() -> None:
    ladder = (Rendition(1, 640, 360, 800, 20), Rendition(2, 1280, 720, 2500, 22))
    streams = {
        "v1": stream(INIT, 6000, 12_000),
        "v2": stream(INIT, 60_000, 60_000),
        "audio": stream(SOUND, 1500, 750),
    }
    assert master_playlist(ladder, Fraction(30000, 1001), streams).splitlines()[3:] == [
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="audio",DEFAULT=YES,AUTOSELECT=YES,'
        'CHANNELS="2",URI="audio/index.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=18000,AVERAGE-BANDWIDTH=13500,CODECS="avc1.640028,mp4a.40.2",'
        'RESOLUTION=640x360,FRAME-RATE=29.970,AUDIO="audio"',
        "v1/index.m3u8",
        '#EXT-X-STREAM-INF:BANDWIDTH=82000,AVERAGE-BANDWIDTH=81500,CODECS="avc1.640028,mp4a.40.2",'
        'RESOLUTION=1280x720,FRAME-RATE=29.970,AUDIO="audio"',
        "v2/index.m3u8",
    ]


def test_a_silent_video_names_no_sound() -> None:
    text = master_playlist((Rendition(1, 2, 2, 1, 23),), Fraction(30), {"v1": stream(INIT, 10)})
    assert "AUDIO" not in text.replace("AUDIO-", "")
    assert "mp4a" not in text


def test_parts_that_would_need_their_own_init_segment_are_never_published() -> None:
    parts = [PartFacts({"v1": stream(init, 1)}) for init in (INIT, SOUND)]
    with pytest.raises(ValueError, match=r"init\.mp4"):
        joined(parts)


def test_facts_survive_their_json() -> None:
    facts = PartFacts({"v1": stream(INIT, 6000, 12_000), "audio": stream(SOUND, 3)})
    assert PartFacts.from_json(facts.to_json()) == facts
    assert list(facts.names()) == ["v1/index0.m4s", "v1/index1.m4s", "audio/index0.m4s"]
