"""Cuts lie on the output's time line, parts on cuts; the digest names what the bytes hang on."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from config.contracts.ladder import parse_ladder
from worker_images.video.copying import fits
from worker_images.video.ladder import Rendition
from worker_images.video.plan import Plan, key_frame_times_s, make_plan
from worker_images.video.settings import VideoSettings
from worker_images.video.source import Source

LADDER = parse_ladder("360:800:20,720:2500:22,1080:5000:23")
SETTINGS = VideoSettings(LADDER, segment_s=6, part_s=60, rate_control="crf")
TOP = Rendition(3, 1920, 1080, 5000, 23)


def source(**changes: Any) -> Source:
    """Return a source that fits the top rung."""
    fields: dict[str, Any] = {
        "duration_s": 150.0,
        "video_start_s": 0.0,
        "video_end_s": 150.0,
        "width": 1920,
        "height": 1080,
        "rotation": 0,
        "square_pixels": True,
        "fps": Fraction(30),
        "is_vfr": False,
        "video_stream": 0,
        "container": "mov,mp4,m4a,3gp,3g2,mj2",
        "codec": "h264",
        "profile": "High",
        "pixel_format": "yuv420p",
        "bit_depth": 8,
        "interlaced": False,
        "transfer": 1,
        "matrix": 1,
        "primaries": 1,
        "full_range": False,
        "video_bps": 3_000_000,
        "gop_max_s": 2.0,
        "size_bytes": 1,
        "audio_tracks": (),
    }
    return Source(**{**fields, **changes})


def plan(found: Source, *key_frames_s: float, **changes: Any) -> Plan:
    return make_plan(found, replace(SETTINGS, **changes), etag="e", key_frames_s=key_frames_s)


@pytest.mark.parametrize(
    ("end_s", "segments", "parts"),
    [
        (0.5, 1, [1]),
        (6, 1, [1]),
        (6.0004, 1, [1]),
        (6.04, 2, [2]),
        (60, 10, [10]),
        (60.04, 11, [10, 1]),
        (150, 25, [10, 10, 5]),
    ],
)
def test_every_segment_is_in_one_part(end_s: float, segments: int, parts: list[int]) -> None:
    found = plan(source(video_end_s=end_s))
    assert found.cuts == tuple(n * 6 * 90_000 for n in range(segments))
    assert [len(part.cuts) for part in found.parts] == parts
    assert [cut for part in found.parts for cut in part.cuts] == list(found.cuts)
    assert [part.end for part in found.parts] == [
        *(part.cuts[0] for part in found.parts[1:]),
        None,
    ]


@pytest.mark.parametrize(
    ("fps", "timescale"),
    [(Fraction(30), 90_000), (Fraction(30000, 1001), 90_000), (Fraction(24000, 1001), 96_000)],
)
def test_a_frame_is_a_whole_number_of_ticks(fps: Fraction, timescale: int) -> None:
    found = plan(source(fps=fps))
    assert found.timescale == timescale
    assert found.timescale / fps == found.frame_ticks


def test_a_source_with_key_frames_far_apart_gets_longer_parts() -> None:
    found = plan(source(video_end_s=1000, gop_max_s=100.0))
    assert [len(part.cuts) * 6 for part in found.parts] == [204, 204, 204, 204, 186]


def test_key_frames_come_every_two_seconds_from_a_parts_own_start() -> None:
    found = plan(source())
    assert key_frame_times_s(found, found.parts[1])[:4] == [0, 2, 4, 6]
    assert key_frame_times_s(found, found.parts[2])[-1] == 28


def test_a_copied_picture_cuts_the_others_at_its_key_frames() -> None:
    found = plan(source(video_end_s=20.0), 0, 2.5, 5, 7.5, 10, 12.5, 15, 17.5, part_s=12)
    assert (found.copied, found.encoded) == (TOP, found.ladder[:2])
    assert [cut / 90_000 for cut in found.cuts] == [0, 5, 10, 15]
    assert [part.cuts[0] / 90_000 for part in found.parts] == [0, 15]


def test_groups_of_six_seconds_by_another_clock_are_one_segment_each() -> None:
    step = 60 * 1001 / 30000
    found = plan(
        source(fps=Fraction(30000, 1001), video_end_s=9 * step), *(n * step for n in range(9))
    )
    assert [cut * 30000 / 1001 / 90_000 for cut in found.cuts] == [0, 180, 360]


def test_a_copied_single_rung_leaves_nothing_to_encode() -> None:
    found = plan(source(), 0.0, 2.0, ladder=LADDER[2:])
    assert found.copied is not None
    assert found.parts == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"codec": "hevc"},
        {"pixel_format": "yuv420p10le"},
        {"profile": "High 4:2:2"},
        {"container": "matroska,webm"},
        {"video_bps": 5_000_001},
        {"gop_max_s": 6.5},
        {"gop_max_s": None},
        {"width": 1918},
        {"rotation": 180},
        {"square_pixels": False},
        {"interlaced": True},
        {"is_vfr": True},
        {"transfer": 16},
        {"full_range": True},
    ],
)
def test_only_what_the_encoder_would_make_is_copied(changes: dict[str, Any]) -> None:
    assert fits(source(), TOP, 6)
    assert not fits(source(**changes), TOP, 6)


def test_whatever_changes_the_bytes_changes_the_digest() -> None:
    others = [
        plan(source(width=1280, height=720)),
        plan(source(), 0.0, 2.0),
        plan(source(), part_s=120),
        plan(source(), rate_control="abr"),
        make_plan(source(), SETTINGS, etag="other", key_frames_s=()),
    ]
    assert len({found.digest for found in [plan(source()), *others]}) == 6
    assert plan(source()).digest == plan(source()).digest
