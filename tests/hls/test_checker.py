"""Each rule of the checker fails on a rendition that breaks it, and on nothing before that."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import pytest

from tests.hls.checker import average_bps, check, peak_bps
from tests.hls.playlists import read_media
from tests.hls.rendition import Rendition

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
HLS = ("-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4")
VIDEO = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-pix_fmt", "yuv420p")
#: Without it a picture with B frames begins late by as much as it is reordered: 80 ms here.
EARLY = ("-avoid_negative_ts", "disabled")
AUDIO = ("-c:a", "aac", "-b:a", "64k", "-ar", "48000", "-ac", "2")


def ffmpeg(folder: Path, *arguments: str) -> None:
    """Write an HLS rendition into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    files = ("-hls_segment_filename", "index%d.m4s", "index.m3u8")
    command = [FFMPEG, "-y", "-loglevel", "error", *arguments, *HLS, *files]
    subprocess.run(command, cwd=folder, check=True)


def picture(folder: Path, size: str, *, keys: str = "2", options: tuple[str, ...] = ()) -> None:
    source = f"testsrc2=size={size}:rate=25:duration=7"
    forced = (
        "-g",
        "999",
        "-sc_threshold",
        "0",
        "-force_key_frames",
        f"expr:gte(t,n_forced*{keys})",
    )
    ffmpeg(folder, "-f", "lavfi", "-i", source, *VIDEO, *forced, *EARLY, *options)


@pytest.fixture(scope="session")
def right(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rendition that breaks no rule, made by ffmpeg's own muxer."""
    folder = tmp_path_factory.mktemp("hls")
    picture(folder / "v1", "160x90")
    picture(folder / "v2", "320x180")
    ffmpeg(folder / "audio", "-f", "lavfi", "-i", "sine=duration=7", *AUDIO, *EARLY)
    write_master(folder)
    return folder


def write_master(folder: Path) -> None:
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    lines.append(
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="audio",DEFAULT=YES,AUTOSELECT=YES,'
        'CHANNELS="2",URI="audio/index.m3u8"'
    )
    sound = opened(folder / "audio")
    for name, size in (("v1", "160x90"), ("v2", "320x180")):
        video = opened(folder / name)
        peak, average = (rate(video) + rate(sound) for rate in (peak_bps, average_bps))
        codecs = f"{video.tracks[0].codec},{sound.tracks[0].codec}"
        lines += [
            f"#EXT-X-STREAM-INF:BANDWIDTH={peak:.0f},AVERAGE-BANDWIDTH={average:.0f},"
            f'RESOLUTION={size},FRAME-RATE=25.000,CODECS="{codecs}",AUDIO="audio"',
            f"{name}/index.m3u8",
        ]
    (folder / "master.m3u8").write_text("\n".join(lines) + "\n")


def opened(folder: Path) -> Rendition:
    return Rendition(folder.name, folder, read_media(folder / "index.m3u8", []))


@pytest.fixture
def copy(right: Path, tmp_path: Path) -> Path:
    return shutil.copytree(right, tmp_path / "copy")


def test_a_right_rendition_has_no_fault(right: Path) -> None:
    assert check(right) == []


#: Rule that breaks, file, what stands there, what stands there instead.
TEXTS = [
    ("EXTM3U", "master.m3u8", "#EXTM3U\n", ""),
    ("EXTM3U", "v1/index.m3u8", "#EXTM3U", "\ufeff#EXTM3U"),
    ("EXT-X-VERSION", "master.m3u8", "VERSION:7", "VERSION:3"),
    ("EXT-X-VERSION", "v1/index.m3u8", "#EXT-X-VERSION:7\n", ""),
    ("EXT-X-INDEPENDENT-SEGMENTS", "master.m3u8", "#EXT-X-INDEPENDENT-SEGMENTS\n", ""),
    ("unknown tag", "v1/index.m3u8", "#EXT-X-ENDLIST", "#EXT-X-DISCONTINUITY\n#EXT-X-ENDLIST"),
    ("tag twice", "v1/index.m3u8", "#EXT-X-VERSION:7", "#EXT-X-VERSION:7\n#EXT-X-VERSION:7"),
    ("attribute list", "master.m3u8", "RESOLUTION=160x90", "RESOLUTION=160x90,RESOLUTION=2x2"),
    ("EXT-X-STREAM-INF", "master.m3u8", "v1/index.m3u8", "#EXT-X-VERSION:7\nv1/index.m3u8"),
    ("EXT-X-STREAM-INF", "master.m3u8", "FRAME-RATE=25.000,", ""),
    ("EXT-X-STREAM-INF", "master.m3u8", "v2/index.m3u8", "v1/index.m3u8"),
    ("EXT-X-STREAM-INF", "master.m3u8", 'AUDIO="audio"\nv1', 'AUDIO="sound"\nv1'),
    ("EXT-X-MEDIA", "master.m3u8", "AUTOSELECT=YES,", ""),
    ("EXT-X-MEDIA", "master.m3u8", 'NAME="audio",', ""),
    ("URI", "master.m3u8", "v2/index.m3u8", "v3/index.m3u8"),
    ("URI", "v1/index.m3u8", "index1.m4s", "index9.m4s"),
    ("URI", "v1/index.m3u8", "index1.m4s", "index0.m4s"),
    ("CODECS", "master.m3u8", "mp4a.40.2", "mp4a.40.5"),
    ("CODECS", "master.m3u8", 'CODECS="avc1', 'CODECS="avc3'),
    ("RESOLUTION", "master.m3u8", "160x90", "162x90"),
    ("FRAME-RATE", "master.m3u8", "25.000", "24.000"),
    ("BANDWIDTH", "master.m3u8", ":BANDWIDTH=", ":BANDWIDTH=1"),
    ("AVERAGE-BANDWIDTH", "master.m3u8", "AVERAGE-BANDWIDTH=", "AVERAGE-BANDWIDTH=1"),
    ("EXT-X-TARGETDURATION", "v1/index.m3u8", "DURATION:2", "DURATION:1"),
    ("EXT-X-TARGETDURATION", "v1/index.m3u8", "DURATION:2", "DURATION:2.5"),
    ("EXT-X-PLAYLIST-TYPE", "v1/index.m3u8", "TYPE:VOD", "TYPE:EVENT"),
    ("EXT-X-MAP", "v1/index.m3u8", '#EXT-X-MAP:URI="init.mp4"\n', ""),
    (
        "EXT-X-MAP",
        "v1/index.m3u8",
        "index0.m4s",
        'index0.m4s\n#EXT-X-MAP:URI="init.mp4"',
    ),
    ("EXT-X-ENDLIST", "v1/index.m3u8", "#EXT-X-ENDLIST\n", ""),
    ("EXTINF", "v1/index.m3u8", "#EXTINF:1.000000,\n", ""),
    ("EXTINF", "v1/index.m3u8", "#EXTINF:1.000000,", "#EXTINF:1.100000,"),
    ("EXTINF", "audio/index.m3u8", "#EXTINF:", "#EXTINF:-"),
    ("segment begin", "v1/index.m3u8", "#EXTINF:2.000000,", "#EXTINF:1.970000,"),
    ("left over", "v1/index.m3u8", "index3.m4s", "index2.m4s"),
]


@pytest.mark.parametrize(("rule", "file", "before", "after"), TEXTS)
def test_a_playlist_that_says_something_else_is_found(
    rule: str, file: str, before: str, after: str, copy: Path
) -> None:
    path = copy / file
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    assert rule in {fault.rule for fault in check(copy)}


def shifted(segment: bytes, ticks: int) -> bytes:
    """Return a segment that begins so many ticks later."""
    at = segment.index(b"tfdt") + 8
    (time,) = struct.unpack_from(">Q", segment, at)
    return segment[:at] + struct.pack(">Q", time + ticks) + segment[at + 8 :]


def rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


def test_a_seam_that_is_a_frame_late_is_found(copy: Path) -> None:
    rewrite(copy / "v1/index1.m4s", lambda segment: shifted(segment, 512))
    assert {"time stamps regular", "aligned"} <= {fault.rule for fault in check(copy)}


def test_a_sound_that_grows_by_a_packet_at_a_seam_is_found(copy: Path) -> None:
    for number in (1, 2, 3):
        rewrite(copy / f"audio/index{number}.m4s", lambda segment: shifted(segment, 1024))
    assert "time stamps regular" in {fault.rule for fault in check(copy)}


def test_a_sound_that_is_longer_than_its_picture_is_found(copy: Path) -> None:
    ffmpeg(copy / "audio", "-f", "lavfi", "-i", "sine=duration=7.1", *AUDIO, *EARLY)
    assert {fault.rule for fault in check(copy)} == {"audio drift"}


def test_a_segment_told_twice_is_found(copy: Path) -> None:
    shutil.copy(copy / "v1/index1.m4s", copy / "v1/index2.m4s")
    assert "time stamps regular" in {fault.rule for fault in check(copy)}


def test_a_rung_cut_elsewhere_is_found(copy: Path) -> None:
    shutil.rmtree(copy / "v2")
    picture(copy / "v2", "320x180", keys="1.6", options=("-hls_time", "1.6"))
    write_master(copy)
    assert "aligned" in {fault.rule for fault in check(copy)}


def test_a_segment_that_needs_the_one_before_is_found(copy: Path) -> None:
    shutil.rmtree(copy / "v1")
    picture(copy / "v1", "160x90", keys="20", options=("-hls_flags", "split_by_time"))
    write_master(copy)
    assert "key frame first" in {fault.rule for fault in check(copy)}


def test_pictures_shown_before_the_key_frame_are_found(copy: Path) -> None:
    shutil.rmtree(copy / "v1")
    leading = ("-g", "50", "-keyint_min", "50", "-x264-params", "open-gop=1:bframes=2:b-adapt=0")
    picture(copy / "v1", "160x90", keys="99", options=leading)
    write_master(copy)
    assert {"key frame first", "key frame flags"} & {fault.rule for fault in check(copy)}


def test_parameter_sets_that_come_again_are_found(copy: Path) -> None:
    shutil.rmtree(copy / "v1")
    picture(copy / "v1", "160x90", options=("-bsf:v", "dump_extra=freq=keyframe"))
    write_master(copy)
    assert {fault.rule for fault in check(copy)} == {"one init"}


def test_frames_that_do_not_decode_are_found(copy: Path) -> None:
    def spoil(segment: bytes) -> bytes:
        at = segment.index(b"mdat") + 8
        return segment[: at + 5] + bytes(len(segment) - at - 5)

    rewrite(copy / "v1/index1.m4s", spoil)
    assert "decodes" in {fault.rule for fault in check(copy)}


def test_a_picture_that_begins_late_is_found(copy: Path) -> None:
    for name, size in (("v1", "160x90"), ("v2", "320x180")):
        shutil.rmtree(copy / name)
        picture(copy / name, size, options=("-avoid_negative_ts", "make_zero"))
    write_master(copy)
    assert {fault.rule for fault in check(copy)} == {"audio drift"}


def test_an_init_of_another_track_is_found(copy: Path) -> None:
    shutil.copy(copy / "audio/init.mp4", copy / "v1/init.mp4")
    assert {"tracks", "CODECS"} & {fault.rule for fault in check(copy)}


def test_a_variable_rate_is_found(copy: Path) -> None:
    shutil.rmtree(copy / "v1")
    picture(copy / "v1", "160x90", options=("-vf", "select='mod(n,7)'", "-fps_mode", "vfr"))
    write_master(copy)
    assert "time stamps regular" in {fault.rule for fault in check(copy)}


def test_a_stray_segment_is_found(copy: Path) -> None:
    shutil.copy(copy / "v1/index1.m4s", copy / "v1/index17.m4s")
    assert {fault.rule for fault in check(copy)} == {"left over"}
