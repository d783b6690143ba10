"""No rung exceeds the source, and every picture keeps its aspect in even pixels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.contracts.ladder import Rung, format_ladder, parse_ladder
from worker_images.video.ladder import renditions

LADDER = parse_ladder("360:800,720:2500,1080:5000")


def sizes(width: int, height: int) -> list[tuple[int, int]]:
    return [(r.width, r.height) for r in renditions(LADDER, width=width, height=height)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ((1920, 1080), [(640, 360), (1280, 720), (1920, 1080)]),
        ((1080, 1920), [(360, 640), (720, 1280), (1080, 1920)]),
        ((1280, 720), [(640, 360), (1280, 720)]),
        ((1279, 719), [(640, 360)]),
        ((641, 361), [(640, 360)]),
        ((1024, 768), [(480, 360), (960, 720)]),
        ((2560, 1080), [(854, 360), (1706, 720), (2560, 1080)]),
        ((321, 181), [(320, 180)]),
        ((3840, 2160), [(640, 360), (1280, 720), (1920, 1080)]),
        ((1, 1), [(2, 2)]),
    ],
)
def test_sizes_of_a_source(source: tuple[int, int], expected: list[tuple[int, int]]) -> None:
    assert sizes(*source) == expected


def test_the_smallest_rung_is_v1() -> None:
    found = renditions(LADDER, width=1920, height=1080)
    assert [(r.name, r.bitrate_kbps) for r in found] == [("v1", 800), ("v2", 2500), ("v3", 5000)]


@given(st.integers(16, 8000), st.integers(16, 8000))
def test_any_source_gets_even_sizes_no_larger_than_itself(width: int, height: int) -> None:
    found = renditions(LADDER, width=width, height=height)
    assert found
    for rendition in found:
        assert rendition.width % 2 == rendition.height % 2 == 0
        assert min(rendition.width, rendition.height) <= min(width, height)
        assert max(rendition.width, rendition.height) <= max(width, height)
        exact = max(width, height) / min(width, height) * min(rendition.width, rendition.height)
        assert abs(max(rendition.width, rendition.height) - exact) < 1.001


@pytest.mark.parametrize(
    "value",
    ["", "720", "720:", "x:1", "721:2500", "0:1", "720:0", "720:1,720:2", "720:2500,", "720:1:52"],
)
def test_a_ladder_that_makes_no_sense_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"must read|even|twice|crf"):
        parse_ladder(value)


def test_a_ladder_survives_its_wire_form() -> None:
    rungs = (Rung(360, 800, 20), Rung(1080, 5000))
    assert parse_ladder(format_ladder(rungs)) == rungs
