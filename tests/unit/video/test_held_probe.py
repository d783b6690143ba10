"""Uploads of every kind are described as they will be shown, or refused with a reason."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from tests.unit.video import media
from tests.unit.video.http_source import http_storage
from worker_images.base.errors import Permanent, Retryable
from worker_images.video.container import keyframes
from worker_images.video.probe import probe
from worker_images.video.remote import RemoteFile


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return media.shelf(tmp_path_factory)


LANDSCAPE: dict[str, Any] = {
    "width": 640,
    "height": 360,
    "fps": Fraction(30),
    "is_vfr": False,
    "bit_depth": 8,
    "hdr": None,
    "interlaced": False,
    "rotation": 0,
    "square_pixels": True,
    "full_range": False,
    "has_audio": True,
}
NTSC = Fraction(30000, 1001)
#: What differs from the plain clip.
FACTS: dict[str, dict[str, Any]] = {
    "landscape.mp4": {"codec": "h264", "gop_max_s": 2.0, "video_start_s": 0.0},
    "portrait.mp4": {"width": 360, "height": 640},
    "turned90.mp4": {"width": 360, "height": 640, "rotation": 90},
    "turned180.mp4": {"rotation": 180},
    "odd.mp4": {"width": 641, "height": 361, "pixel_format": "yuv444p"},
    "anamorphic.mp4": {"square_pixels": False},
    "ntsc.mp4": {"fps": NTSC},
    "fast.mp4": {"fps": Fraction(60), "is_vfr": True},
    "variable.mp4": {"is_vfr": True},
    "screen.webm": {"is_vfr": True, "gop_max_s": None, "codec": "vp8"},
    "interlaced.mp4": {"fps": Fraction(25), "interlaced": True},
    "ten bit.mp4": {"bit_depth": 10},
    "full range.mp4": {"full_range": True},
    "pq.mov": {"bit_depth": 10, "hdr": "smpte2084", "codec": "hevc", "primaries": 9},
    "hlg.mov": {"bit_depth": 10, "hdr": "arib-std-b67", "codec": "hevc"},
    "silent.mp4": {"has_audio": False},
    "late start.ts": {"is_vfr": True, "gop_max_s": None},
    "old.avi": {"is_vfr": True, "codec": "mpeg4"},
    "camera.mkv": {"fps": NTSC, "is_vfr": True},
    "fragments.mp4": {"is_vfr": True, "gop_max_s": None},
}


@pytest.mark.parametrize("name", FACTS)
def test_an_upload_is_described_as_it_is_shown(name: str, folder: Path) -> None:
    source = probe(media.make(name, folder))
    wanted = LANDSCAPE | FACTS[name]
    assert {field: getattr(source, field) for field in wanted} == wanted
    assert source.duration_s == pytest.approx(4, abs=0.06)
    assert source.video_end_s == pytest.approx(4, abs=0.08)


@pytest.mark.parametrize(
    ("name", "stream", "tracks"),
    [
        ("landscape.mp4", 1, [("aac", 1, True)]),
        ("two tracks.mp4", 2, [("aac", 1, True), ("aac", 1, True)]),
        ("unknown track.mp4", 2, [("unknown", 0, False), ("aac", 1, True)]),
        ("surround.mp4", 1, [("aac", 6, True)]),
    ],
)
def test_the_default_track_that_decodes_is_heard(
    name: str, stream: int, tracks: list[tuple[str, int, bool]], folder: Path
) -> None:
    source = probe(media.make(name, folder))
    assert [(t.codec, t.channels, t.decodable) for t in source.audio_tracks] == tracks
    assert source.audio is not None
    assert source.audio.stream == stream


@pytest.mark.parametrize("name", media.UNUSABLE)
def test_an_unusable_upload_has_a_reason_in_korean(name: str, folder: Path) -> None:
    with pytest.raises(Permanent) as caught:
        probe(media.make(name, folder))
    assert caught.value.code == media.UNUSABLE[name][0]
    assert caught.value.message.endswith("다시 업로드해 주세요.")


@pytest.mark.parametrize("options", [["-output_ts_offset", "95435"], ["-f", "vob"], []])
def test_a_recording_in_one_piece_is_not_taken_for_several(
    options: list[str], folder: Path
) -> None:
    """The first one's time stamps begin anew in its midst: 33 bits are full."""
    path = folder / "one piece.ts"
    picture = media.pattern("320x180", seconds=16)
    media.run(*picture, "-c:v", "mpeg2video", *options, path)
    assert probe(path).duration_s == pytest.approx(16, abs=0.1)


def test_three_hours_of_stills_are_probed_by_their_ends(folder: Path) -> None:
    path = media.make("stills.mp4", folder)
    source = probe(path)
    assert (source.duration_s, source.fps, source.gop_max_s) == (10800, 1, 250)
    assert len(keyframes(path)) == 44


@pytest.mark.parametrize("name", ["landscape.mp4", "ntsc.mp4", "interlaced.mp4", "ten bit.mp4"])
def test_key_frames_are_named_when_they_are_shown(name: str, folder: Path) -> None:
    path = folder / f"keys {name}"
    media.run("-i", media.make(name, folder), "-c:v", "libx264", "-bf", "2", "-g", "40", path)
    with av.open(str(path)) as container:
        shown = [float(frame.time) for frame in container.decode(video=0) if frame.key_frame]
    assert keyframes(path) == pytest.approx(shown, abs=1e-6)
    assert len(shown) >= 3


def test_a_file_without_an_index_names_no_key_frames(folder: Path) -> None:
    for name in ("camera.mkv", "fragments.mp4", "late start.ts"):
        assert keyframes(media.make(name, folder)) == ()


def test_a_large_source_is_read_in_part(folder: Path) -> None:
    path = folder / "large.mp4"
    clip = media.make("landscape.mp4", folder)
    media.run("-stream_loop", 29, "-i", clip, "-c", "copy", path)
    with http_storage({"large file.mp4": path.read_bytes()}) as storage:
        url = storage.presign_get("large file.mp4", expires_s=60)
        assert probe(url) == probe(path)
        assert storage.sent_bytes < path.stat().st_size / 2


@pytest.mark.parametrize("status", [503, 500, 429])
def test_a_store_that_fails_for_a_moment_is_asked_again(status: int, folder: Path) -> None:
    data = media.make("landscape.mp4", folder).read_bytes()
    with http_storage({"a.mp4": data}) as storage:
        storage.failures = [status]
        assert probe(storage.presign_get("a.mp4", expires_s=60)).width == 640


@pytest.mark.parametrize(("status", "code"), [(404, "SOURCE_MISSING"), (403, "SOURCE_REFUSED")])
def test_a_store_that_refuses_is_no_damaged_video(status: int, code: str, folder: Path) -> None:
    data = media.make("landscape.mp4", folder).read_bytes()
    with http_storage({"a.mp4": data}) as storage:
        storage.failures = [status]
        with pytest.raises(Permanent if status == 404 else Retryable) as caught:
            probe(storage.presign_get("a.mp4", expires_s=60))
    assert caught.value.code == code


def test_a_transfer_that_ends_midway_is_worth_another_attempt(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read in part, the file looks like a truncated one, which would be final."""
    data = media.make("landscape.mp4", folder).read_bytes()
    monkeypatch.setattr(RemoteFile, "block_bytes", 65536)
    with http_storage({"a.mp4": data}) as storage:
        url = storage.presign_get("a.mp4", expires_s=60)
        monkeypatch.setattr(RemoteFile, "_fetch", _refused_after(RemoteFile._fetch, 3))
        with pytest.raises(Retryable):
            probe(url)


def _refused_after(fetch: Any, blocks: int) -> Any:
    def fetched(file: RemoteFile, first: int) -> Any:
        if len(file._blocks) >= blocks:
            raise Retryable("SOURCE_REFUSED", "expired")
        return fetch(file, first)

    return fetched


def test_a_source_that_takes_too_long_is_tried_later(folder: Path) -> None:
    data = media.make("landscape.mp4", folder).read_bytes()
    with http_storage({"a.mp4": data}) as storage, pytest.raises(Retryable, match="SOURCE_SLOW"):
        probe(storage.presign_get("a.mp4", expires_s=60), limit_s=0)
