"""A segment goes up once it is listed, then off the disk; a failed transfer is not swallowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.video.conftest import HLS
from worker_images.base.testing import MemoryStorage
from worker_images.video.ladder import Rendition
from worker_images.video.uploader import Uploader

RUNG = Rendition(1, 640, 360, 800)
HEAD = '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-MAP:URI="init.mp4"\n'


def write(folder: Path, listed: int, *, ended: bool = False) -> None:
    rung = folder / "v1"
    rung.mkdir(exist_ok=True)
    lines = "".join(f"#EXTINF:2.0,\nindex{n}.m4s\n" for n in range(listed))
    (rung / "index.m3u8").write_text(HEAD + lines + ("#EXT-X-ENDLIST\n" if ended else ""))
    (rung / "init.mp4").write_bytes(b"....avcC\x01\x64\x00\x1e")


def settle(uploader: Uploader) -> None:
    """Wait until what was started is through."""
    uploader.poll()
    assert uploader._running is not None
    uploader._running.result()


def test_segments_follow_the_list_and_the_playlist_comes_after_them(tmp_path: Path) -> None:
    storage = MemoryStorage()
    write(tmp_path, listed=1)
    for number in range(3):
        (tmp_path / f"v1/index{number}.m4s").write_bytes(bytes(1000))
    with Uploader(storage, HLS, tmp_path, (RUNG,)) as uploader:
        settle(uploader)
        assert storage.writes == [f"{HLS}v1/index0.m4s"]
        assert not (tmp_path / "v1/index0.m4s").exists()
        assert (tmp_path / "v1/index1.m4s").exists()
        write(tmp_path, listed=3, ended=True)
        (variant,) = uploader.finish(has_audio=False)
    names = ["index0.m4s", "index1.m4s", "index2.m4s", "init.mp4", "index.m3u8"]
    assert storage.writes == [f"{HLS}v1/{name}" for name in names]
    assert b"TYPE:VOD" in storage.objects[f"{HLS}v1/index.m3u8"].data
    assert (variant.rates.peak, variant.codecs) == (4000, "avc1.64001e")


def test_an_unfinished_playlist_is_never_published(tmp_path: Path) -> None:
    storage = MemoryStorage()
    write(tmp_path, listed=0)
    with (
        Uploader(storage, HLS, tmp_path, (RUNG,)) as uploader,
        pytest.raises(ValueError, match="without an end"),
    ):
        uploader.finish(has_audio=False)
    assert storage.writes == []


def test_a_failed_transfer_stops_the_encode_at_the_next_poll(tmp_path: Path) -> None:
    class Refusing(MemoryStorage):
        def put_file(self, *arguments: object, **options: object) -> None:
            raise OSError("bucket refuses")

    write(tmp_path, listed=1)
    (tmp_path / "v1/index0.m4s").write_bytes(b"x")
    with Uploader(Refusing(), HLS, tmp_path, (RUNG,)) as uploader:
        with pytest.raises(OSError, match="bucket refuses"):
            settle(uploader)
        with pytest.raises(OSError, match="bucket refuses"):
            uploader.poll()
