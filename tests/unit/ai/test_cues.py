"""Words as cues, and cues as WebVTT."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from worker_images.ai.subtitles import cues as limits
from worker_images.ai.subtitles.cues import Cue, cues, webvtt
from worker_images.ai.subtitles.speech import Word


def words(*spoken: tuple[str, float, float]) -> list[Word]:
    return [Word(text, start, end, 0.9) for text, start, end in spoken]


@st.composite
def lectures(draw: st.DrawFn) -> list[Word]:
    at_s, spoken = 0.0, []
    for text in draw(st.lists(st.text("가나다라abc<&", min_size=1, max_size=12), max_size=60)):
        at_s += draw(st.sampled_from([0.0, 0.05, 0.3, 0.8, 4.0]))
        length_s = draw(st.floats(0.05, 1.5))
        spoken.append(Word(text, at_s, at_s + length_s, 0.9))
        at_s += length_s
    return spoken


@given(lectures(), st.sampled_from(["ko", "en"]))
def test_cues_hold_every_word_in_order_and_never_overlap(spoken: list[Word], language: str) -> None:
    found = cues(spoken, language)

    assert " ".join(cue.text.replace("\n", " ") for cue in found) == " ".join(
        word.text for word in spoken
    )
    for cue, following in pairwise(found):
        assert cue.end_s <= following.start_s
    width = limits.LINE_CHARACTERS.get(language, limits.OTHER_LINE_CHARACTERS)
    for cue in found:
        assert 0 < cue.end_s - cue.start_s <= limits.LONGEST_S + 1e-9
        lines = cue.text.split("\n")
        assert len(lines) <= 2
        assert all(len(line) <= width for line in lines)


def test_a_pause_ends_a_cue() -> None:
    found = cues(words(("one", 0, 1), ("two", 1.1, 2), ("three", 2.8, 4)), "en")

    assert found == [Cue(0, 2, "one two"), Cue(2.8, 4, "three")]


def test_a_short_cue_stands_for_a_second_unless_the_next_begins() -> None:
    found = cues(words(("ja", 0, 0.2), ("nein", 0.95, 1.1), ("so", 9, 9.1)), "en")

    assert [(cue.start_s, cue.end_s) for cue in found] == [(0, 0.95), (0.95, 1.95), (9, 10)]


def test_webvtt_is_numbered_stamped_and_escaped() -> None:
    text = webvtt([Cue(0.5, 2, "a < b & c"), Cue(3599.9996, 3661.25, "둘째\n줄")])

    assert text == (
        "WEBVTT\n\n"
        "1\n00:00:00.500 --> 00:00:02.000\na &lt; b &amp; c\n\n"
        "2\n01:00:00.000 --> 01:01:01.250\n둘째\n줄\n"
    )
