"""Whatever a source's pictures are, what is encoded is progressive SDR with named colours."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from tests.unit.video import media
from worker_images.video.picture import normalising_filters
from worker_images.video.probe import probe
from worker_images.video.source import Source

WIDTH, HEIGHT = 64, 36
PQ = "color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"
HLG = "color_primaries=bt2020:color_trc=arib-std-b67:colorspace=bt2020nc"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Source:
    return probe(media.make("landscape.mp4", tmp_path_factory.mktemp("picture")))


def filtered(source: Source, picture: str) -> bytes:
    """Return the first frame, as yuv420p, of a picture that goes through a source's filters."""
    chain = normalising_filters(source, width=WIDTH, height=HEIGHT)
    filters = ",".join([*chain, f"scale={WIDTH}:{HEIGHT}", "format=yuv420p"])
    command = [media.FFMPEG, "-loglevel", "error", "-f", "lavfi", "-i", picture, "-vf", filters]
    output = ["-frames:v", "1", "-f", "rawvideo", "-"]
    return subprocess.run([*command, *output], check=True, capture_output=True).stdout


def grey(level: float, params: str) -> str:
    """Return a 10 bit field at a share of the signal's range."""
    field = (
        f"color=size=128x72:rate=1:duration=1,format=yuv420p10le,lutyuv=y={round(level * 876 + 64)}"
    )
    return f"{field}:u=512:v=512,setparams={params}:range=tv"


@pytest.mark.parametrize(
    ("transfer", "params", "reference_white"), [(16, PQ, 0.58), (18, HLG, 0.75)]
)
def test_hdr_keeps_black_black_and_a_board_white(
    transfer: int, params: str, reference_white: float, plain: Source
) -> None:
    source = replace(plain, transfer=transfer, matrix=9, primaries=9, bit_depth=10)
    shown = []
    for level in (0.0, reference_white / 2, reference_white, 0.9):
        frame = filtered(source, grey(level, params))
        assert all(abs(chroma - 128) <= 1 for chroma in frame[WIDTH * HEIGHT :])
        shown.append((frame[0] - 16) / 219)
    assert shown[0] == pytest.approx(0, abs=0.01)
    assert shown == sorted(shown)
    assert 0.88 <= shown[2] <= 0.96
    assert shown[3] <= 1.02


def test_hdr_that_names_its_transfer_alone_is_mapped_too(plain: Source) -> None:
    source = replace(plain, transfer=16, matrix=2, primaries=2, bit_depth=10)
    frame = filtered(source, grey(0.58, "color_trc=smpte2084"))
    assert 0.88 <= (frame[0] - 16) / 219 <= 0.96


def test_a_full_range_is_narrowed(plain: Source) -> None:
    white = "color=white:size=128x72:duration=1,scale=out_range=full,format=yuvj420p"
    assert filtered(replace(plain, full_range=True), white)[0] == pytest.approx(235, abs=1)


#: Red in BT.709: https://www.itu.int/rec/R-REC-BT.709, 3.
RED_709 = (63, 102, 240)


@pytest.mark.parametrize(
    ("matrix", "picture"),
    [
        (0, "color=red:size=128x72:duration=1,format=gbrp"),
        (1, "color=red:size=128x72:duration=1,scale=out_color_matrix=bt709,format=yuv420p"),
    ],
)
def test_pictures_of_hd_come_out_in_its_colours(matrix: int, picture: str, plain: Source) -> None:
    frame = filtered(replace(plain, matrix=matrix), picture)
    quarter = WIDTH * HEIGHT // 4
    found = (frame[0], frame[WIDTH * HEIGHT], frame[WIDTH * HEIGHT + quarter])
    assert found == pytest.approx(RED_709, abs=2)


@pytest.mark.parametrize(
    ("matrix", "height", "name"),
    [
        (2, 1080, "bt709"),
        (2, 720, "bt709"),
        (2, 480, "smpte170m"),
        (6, 1080, "smpte170m"),
        (1, 360, "bt709"),
    ],
)
def test_colours_are_named_so_that_no_rung_changes_its_tint(
    matrix: int, height: int, name: str, plain: Source
) -> None:
    source = replace(plain, matrix=matrix, width=height * 16 // 9, height=height)
    assert f"colorspace={name}" in normalising_filters(source, width=640, height=360)[-1]


def test_fields_become_frames_without_a_comb(plain: Source) -> None:
    bar = f"color=black:size={WIDTH}x{HEIGHT}:rate=50:duration=1,drawbox=w=24:color=white:t=fill"
    fields = f"{bar},scroll=horizontal=0.1,interlace=scan=tff:lowpass=off"
    combed, whole = filtered(plain, fields), filtered(replace(plain, interlaced=True), fields)
    assert comb(combed) > 4 * comb(whole)


def comb(frame: bytes) -> int:
    """Return how much each line differs from the mean of the two beside it."""
    lines = [frame[at : at + WIDTH] for at in range(0, WIDTH * HEIGHT, WIDTH)]
    total = 0
    for above, line, below in zip(lines, lines[1:], lines[2:], strict=False):
        total += sum(abs(2 * b - a - c) for a, b, c in zip(above, line, below, strict=True))
    return total


def test_a_start_between_two_places_is_moved_by_less_than_half_a_frame(plain: Source) -> None:
    source = replace(plain, is_vfr=True, video_start_s=0.11, fps=Fraction(30))
    assert normalising_filters(source, width=640, height=360)[:2] == [
        "setpts=PTS-(0.010000)/TB",
        "fps=30:start_time=0",
    ]
    later = normalising_filters(source, width=640, height=360, from_beginning=False)
    assert later[1] == "fps=30"


def test_a_plain_source_is_only_named(plain: Source, tmp_path: Path) -> None:
    assert normalising_filters(plain, width=640, height=360) == [
        "crop=trunc(iw/2)*2:trunc(ih/2)*2",
        "setparams=color_primaries=smpte170m:color_trc=smpte170m:colorspace=smpte170m:range=tv",
    ]
