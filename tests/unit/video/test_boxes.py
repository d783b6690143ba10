"""Fragments are found however a pipe cuts the stream, and move without losing a byte of media."""

from __future__ import annotations

import subprocess
from pathlib import Path

import av
import pytest

from tests.unit.video.conftest import FFMPEG
from worker_images.video.boxes import FragmentReader, skipped_ticks, with_skip
from worker_images.video.runs import write_run

MOVABLE = "+frag_keyframe+empty_moov+default_base_moof+frag_discont+negative_cts_offsets"


def stream(*options: str, frames: int = 50) -> bytes:
    """Return a fragmented MP4 of 25 frames a second, a key frame each second."""
    command = [
        *(FFMPEG, "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25"),
        *("-frames:v", str(frames), "-c:v", "libx264", "-g", "25", "-video_track_timescale"),
        *("25000", *options, "-f", "mp4", "pipe:1"),
    ]
    return subprocess.run(command, check=True, capture_output=True).stdout


@pytest.fixture(scope="module")
def movable() -> bytes:
    return stream("-movflags", MOVABLE + "+skip_trailer", "-avoid_negative_ts", "disabled")


@pytest.mark.parametrize("piece", [1, 7, 1000, 10**9])
def test_fragments_are_found_however_the_stream_is_cut(piece: int, movable: bytes) -> None:
    reader = FragmentReader()
    found = [
        fragment
        for at in range(0, len(movable), piece)
        for fragment in reader.feed(movable[at : at + piece])
    ]
    reader.end()
    assert [(f.start, f.earliest, f.duration) for f in found] == [
        (0, 0, 25000),
        (25000,) * 2 + (25000,),
    ]
    assert reader.init.startswith(movable[:24])


def test_a_stream_that_breaks_off_is_no_success(movable: bytes) -> None:
    reader = FragmentReader()
    list(reader.feed(movable[:-1]))
    with pytest.raises(ValueError, match="into a box"):
        reader.end()


@pytest.mark.parametrize(
    "data", [b"not a movie at all", bytes(16), b"\0\0\0\x10moof\0\0\0\x08traf", b"\x7f\0\0\0moof"]
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"box|track|fragment"):
        list(FragmentReader().feed(data))


def test_a_moved_stream_plays_at_its_new_time_with_every_frame(
    movable: bytes, tmp_path: Path
) -> None:
    reader, moved = FragmentReader(), b""
    for sequence, fragment in enumerate(reader.feed(movable)):
        moof = write_run(fragment.run, sequence=sequence, offset=250_000, later=3000)
        moved += moof + fragment.media
    path = tmp_path / "moved.mp4"
    path.write_bytes(with_skip(reader.init, 3000) + moved)
    with av.open(str(path)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx([10 + n / 25 for n in range(50)])


def test_a_single_frame_has_its_delay_too() -> None:
    data = stream("-movflags", MOVABLE + "+skip_trailer", frames=1)
    reader = FragmentReader()
    (fragment,) = reader.feed(data)
    moof = write_run(fragment.run, sequence=1, offset=100, later=3000)
    (again,) = FragmentReader().feed(with_skip(reader.init, 3000) + moof + fragment.media)
    assert (again.start, again.run.samples[0].composition_offset) == (100, 3000)


def test_nothing_moves_to_before_the_beginning(movable: bytes) -> None:
    fragment = next(FragmentReader().feed(movable))
    with pytest.raises(ValueError, match="negative"):
        write_run(fragment.run, sequence=1, offset=-1, later=0)


def test_an_edit_list_is_written_once_and_read_back(movable: bytes) -> None:
    reader = FragmentReader()
    list(reader.feed(movable))
    assert skipped_ticks(reader.init) == 0
    edited = with_skip(reader.init, 3000)
    assert skipped_ticks(edited) == 3000
    with pytest.raises(ValueError, match="edit list"):
        with_skip(edited, 1)
