"""The output's rate: the source's own wherever it has one, else one that shows its motion."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker_images.video.timing import MAX_FPS, MIN_FPS, Timing, timing

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("steps", "average", "expected"),
    [
        ([1 / 30] * 90, Fraction(30), Timing(Fraction(30), False)),
        ([1001 / 30000] * 90, NTSC, Timing(NTSC, False)),
        ([1 / 1] * 9, Fraction(1), Timing(Fraction(1), False)),
        ([0.04] * 9, Fraction(25), Timing(Fraction(25), False)),
        # Matroska rounds to a millisecond; a telephone counts in 600ths.
        ([0.033, 0.034, 0.033], NTSC, Timing(NTSC, True)),
        ([20 / 600, 20 / 600, 21 / 600], NTSC, Timing(NTSC, True)),
        # Above 60: every second frame, or every fourth.
        ([1 / 120] * 90, Fraction(120), Timing(Fraction(60), True)),
        ([1 / 240] * 90, Fraction(240), Timing(Fraction(60), True)),
        ([1 / 90] * 90, Fraction(90), Timing(Fraction(45), True)),
        # Slides at a frame every ten seconds.
        ([10.0] * 9, Fraction(1, 10), Timing(Fraction(1), True)),
        # A screen whose picture moves at 60 and pauses; a camera with lost frames.
        ([1 / 60] * 50 + [0.5] * 9, Fraction(11), Timing(Fraction(60), True)),
        ([1 / 30] * 90 + [2 / 30], Fraction(30), Timing(Fraction(30), True)),
        ([0.2] * 5 + [1.3], Fraction(4), Timing(Fraction(5), True)),
        ([], Fraction(500), Timing(MAX_FPS, True)),
        ([0.0, -0.1], Fraction(30), Timing(Fraction(30), True)),
    ],
)
def test_rates(steps: list[float], average: Fraction, expected: Timing) -> None:
    assert timing(steps, average, 3600) == expected


def test_a_rate_is_named_only_where_no_frame_is_lost_by_it() -> None:
    nearly = Fraction(2996, 100)
    steps = [1 / float(nearly)] * 100
    assert timing(steps, nearly, 10).fps == NTSC
    assert timing(steps, nearly, 10_800).fps == nearly


@given(
    st.lists(st.floats(0, 100), max_size=50),
    st.fractions(Fraction(1, 1000), 1000, max_denominator=1001),
    st.floats(0.01, 40_000),
)
def test_any_source_gets_a_rate_that_players_show(
    steps: list[float], average: Fraction, duration_s: float
) -> None:
    assert MIN_FPS <= timing(steps, average, duration_s).fps <= MAX_FPS
