"""The lecture that is made when none is given: what it is, and that it is made once."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from ops import clip
from ops.errors import OperatorError


def test_the_clip_is_1080p30_with_a_voice_and_changing_slides(tmp_path: Path) -> None:
    path = tmp_path / "clips" / "lecture.mp4"
    assert clip.render(path, duration_s=6)

    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.width, video.height, video.average_rate) == (1920, 1080, 30)
        assert audio.sample_rate == 48000
        frames = [bytes(frame.planes[0])[::997] for frame in container.decode(video)]
    assert len(frames) == 180
    assert difference(frames[30], frames[120]) < 1, "one slide stands still"
    assert difference(frames[30], frames[170]) > 1, "the next slide differs"


def difference(first: bytes, second: bytes) -> float:
    """Return the mean difference of two samples of luma."""
    return sum(abs(a - b) for a, b in zip(first, second, strict=True)) / len(first)


def test_a_clip_that_is_there_is_not_rendered_again(tmp_path: Path) -> None:
    path = tmp_path / "lecture.mp4"
    path.write_bytes(b"there")
    assert not clip.render(path)
    assert path.read_bytes() == b"there"


def test_a_failed_rendering_leaves_no_clip(tmp_path: Path) -> None:
    path = tmp_path / "lecture.unknown-format"
    with pytest.raises(OperatorError, match="ffmpeg"):
        clip.render(path, duration_s=1)
    assert not path.exists()
