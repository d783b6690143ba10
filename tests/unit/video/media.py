"""The uploads that a platform meets and does not expect, rendered small.

`make(name, folder)` writes one. Each picture is a moving test pattern unless its rows matter.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import pytest

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
SECONDS = 4
STILLS_S = 3 * 3600
_H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "60")
_HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:pools=1")
_TONE = ("-f", "lavfi", "-i", f"sine=frequency=440:duration={SECONDS}")
_PQ = "color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"
_HLG = "color_primaries=bt2020:color_trc=arib-std-b67:colorspace=bt2020nc"
#: The HDR clips show one grey: in PQ the reference white of ITU-R BT.2408, in HLG a middle tone.
HDR_LEVEL = 0.58
#: How bright SDR shows it, from 0 to 1.
SHOWN = {"pq.mov": 0.92, "hlg.mov": 0.80}


def run(*arguments: object) -> None:
    """Run ffmpeg."""
    subprocess.run([FFMPEG, "-y", "-loglevel", "error", *map(str, arguments)], check=True)


def pattern(size: str = "640x360", rate: str = "30", seconds: float = SECONDS) -> list[str]:
    """Return the input of a moving picture."""
    return ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}"]


def plain(path: Path, *extra: str, size: str = "640x360", rate: str = "30") -> None:
    """Write a clip with a tone."""
    pixels = () if "-pix_fmt" in extra else ("-pix_fmt", "yuv420p")
    run(*pattern(size, rate), *_TONE, *_H264, *pixels, "-c:a", "aac", *extra, path)


def rotated(path: Path, degrees: int) -> None:
    """Write a clip that asks its player for a turn."""
    upright = path.with_name("upright.mp4")
    plain(upright)
    run("-display_rotation:v:0", degrees, "-i", upright, "-c", "copy", path)


def variable(path: Path) -> None:
    """Write a phone's recording: 30 frames a second of which some are missing, in runs."""
    kept = "select='not(mod(n,7))+lt(mod(n,30),20)'"
    plain(path, "-vf", kept, "-fps_mode", "vfr")


def screen(path: Path) -> None:
    """Write a browser's screen recording: no duration, no index, frames when something moves."""
    run(
        *(*pattern(rate="30"), *_TONE, "-vf", "select='lt(mod(n,60),20)+not(mod(n,9))'"),
        *("-fps_mode", "vfr", "-c:v", "libvpx", "-b:v", "1M", "-deadline", "realtime"),
        *("-cpu-used", "8", "-pix_fmt", "yuv420p", "-c:a", "libopus", "-live", "1", path),
    )


def photo(path: Path) -> None:
    """Write a single picture without a duration, or a sound."""
    run(*pattern(), "-frames:v", "1", "-c:v", "libvpx", "-pix_fmt", "yuv420p", "-live", "1", path)


def odd_screen(path: Path) -> None:
    """Write a window of a screen: odd sides, which browsers record with halved colours."""
    run(
        *(*pattern(), *_TONE, "-vf", "scale=641:361,setsar=1,format=yuv420p", "-c:v", "libvpx"),
        *("-deadline", "realtime", "-cpu-used", "8", "-b:v", "2M", "-c:a", "libopus", path),
    )


def paused(path: Path) -> None:
    """Write a screen recording whose picture stands still from the first second on."""
    run(
        *(*pattern(), *_TONE, "-vf", "select='lt(n,30)'", "-fps_mode", "vfr", "-c:v", "libvpx"),
        *("-deadline", "realtime", "-cpu-used", "8", "-pix_fmt", "yuv420p", "-c:a", "libopus"),
        path,
    )


def hdr(path: Path, params: str) -> None:
    """Write 10 bit HEVC as phones record it: a grey field."""
    grey = round(HDR_LEVEL * (940 - 64) + 64)
    picture = f"color=size=640x360:rate=30:duration={SECONDS},format=yuv420p10le"
    level = f"lutyuv=y={grey}:u=512:v=512,setparams={params}:range=tv"
    run(
        *("-f", "lavfi", "-i", f"{picture},{level}", *_TONE, *_HEVC, "-tag:v", "hvc1"),
        *("-c:a", "aac", path),
    )


def two_tracks(path: Path) -> None:
    """Write two tracks, 440 Hz and, as the default, 1000 Hz."""
    run(
        *(*pattern(), *_TONE, "-f", "lavfi", "-i", f"sine=frequency=1000:duration={SECONDS}"),
        *("-map", "0", "-map", "1", "-map", "2", *_H264, "-pix_fmt", "yuv420p", "-c:a", "aac"),
        *("-disposition:a:0", "0", "-disposition:a:1", "default", path),
    )


def surround(path: Path) -> None:
    """Write 5.1 with a sound in the centre alone, where speech is."""
    sound = f"sine=frequency=440:duration={SECONDS},pan=5.1|FC=c0"
    run(
        *(*pattern(), "-f", "lavfi", "-i", sound, *_H264, "-pix_fmt", "yuv420p"),
        *("-c:a", "aac", "-b:a", "256k", path),
    )


def unknown_track(path: Path) -> None:
    """Write a first track that no decoder knows, such as Apple's spatial one, and a second."""
    whole = path.with_name("whole.mp4")
    run(
        *(*pattern(), *_TONE, *_TONE, "-map", "0", "-map", "1", "-map", "2", *_H264),
        *("-pix_fmt", "yuv420p", "-c:a", "aac", whole),
    )
    data = whole.read_bytes().replace(b"mp4a", b"apac", 1).replace(b"esds", b"dapa", 1)
    path.write_bytes(data)


def unknown_codec(path: Path) -> None:
    """Write pictures that no decoder knows, as those of a protected film are named."""
    plain(path)
    path.write_bytes(path.read_bytes().replace(b"avc1", b"encv").replace(b"avcC", b"sinf"))


def beginning_lost(path: Path) -> None:
    """Write a broadcast that was switched on between two key frames, at the second second."""
    whole = path.with_name("whole.ts")
    plain(whole)
    path.write_bytes(whole.read_bytes()[188 * 400 :])


def joined(path: Path, *, shares: tuple[float, ...]) -> None:
    """Write a camcorder's parts behind each other as they are, lasting so many times 16 s."""
    path.write_bytes(b"")
    for share in shares:
        part = path.with_name("part.ts")
        run(*pattern("320x180", seconds=16 * share), *_H264, "-pix_fmt", "yuv420p", part)
        path.write_bytes(path.read_bytes() + part.read_bytes())


def index_missing(path: Path) -> None:
    """Write the first half of a recording whose index would have come last."""
    plain(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def cut(path: Path) -> None:
    """Write an index in front, and two fifths of what it names."""
    plain(path, "-movflags", "+faststart", "-b:v", "3M")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 5])


def hollow(path: Path, kept_share: float) -> None:
    """Write a file of the right size in which only the beginning was ever saved."""
    plain(path, "-movflags", "+faststart", "-b:v", "3M", "-g", "15")
    data = path.read_bytes()
    kept = round(len(data) * kept_share)
    path.write_bytes(data[:kept] + bytes(len(data) - kept))


def stills(path: Path) -> None:
    """Write three hours of a slide that changes each minute, a frame a second: 2 MB."""
    slides = f"testsrc=size=160x90:rate=1/60:duration={STILLS_S},fps=1"
    run("-f", "lavfi", "-i", slides, *_H264, "-g", "250", "-pix_fmt", "yuv420p", path)


def sound_only(path: Path) -> None:
    run(*_TONE, "-c:a", "aac", path)


def cover_only(path: Path) -> None:
    """Write a song with a cover: its picture is no video."""
    cover = path.with_name("cover.jpg")
    run(*pattern(rate="1", seconds=1), "-frames:v", "1", cover)
    run(
        *(*_TONE, "-i", cover, "-map", "0", "-map", "1", "-c:a", "aac", "-c:v", "mjpeg"),
        *("-disposition:v:0", "attached_pic", path),
    )


def playlist(path: Path) -> None:
    """Write a playlist that names an address within the platform's network."""
    path.write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nhttp://169.254.169.254/latest/a.ts\n"
        "#EXT-X-ENDLIST\n"
    )


def script(path: Path) -> None:
    """Write a concat script that names a file of the worker."""
    path.write_text("ffconcat version 1.0\nfile /etc/passwd\n")


USABLE: dict[str, Callable[[Path], None]] = {
    "landscape.mp4": plain,
    "portrait.mp4": lambda path: plain(path, size="360x640"),
    "turned90.mp4": lambda path: rotated(path, 90),
    "turned180.mp4": lambda path: rotated(path, 180),
    "odd.mp4": lambda path: plain(
        path, "-vf", "format=yuv444p,scale=641:361,setsar=1", "-pix_fmt", "yuv444p"
    ),
    "anamorphic.mp4": lambda path: plain(path, "-vf", "setsar=4/3", size="480x360"),
    "ntsc.mp4": lambda path: plain(path, rate="30000/1001"),
    "fast.mp4": lambda path: plain(path, rate="120"),
    "variable.mp4": variable,
    "screen.webm": screen,
    "odd screen.webm": odd_screen,
    "paused screen.webm": paused,
    "late picture.mp4": lambda path: plain(path, "-vf", "trim=0.5"),
    "long sound.mp4": lambda path: plain(path, "-vf", "trim=end=2.5"),
    "short sound.mp4": lambda path: plain(path, "-af", "atrim=end=2.5"),
    "interlaced.mp4": lambda path: plain(
        path, "-vf", "interlace", "-flags", "+ildct+ilme", "-x264-params", "tff=1", rate="50"
    ),
    "ten bit.mp4": lambda path: plain(path, "-pix_fmt", "yuv420p10le"),
    "full range.mp4": lambda path: plain(path, "-pix_fmt", "yuvj420p"),
    "pq.mov": lambda path: hdr(path, _PQ),
    "hlg.mov": lambda path: hdr(path, _HLG),
    "silent.mp4": lambda path: plain(path, "-an"),
    "two tracks.mp4": two_tracks,
    "unknown track.mp4": unknown_track,
    "surround.mp4": surround,
    "late start.ts": lambda path: plain(path, "-muxdelay", "5"),
    "beginning lost.ts": beginning_lost,
    "one picture.mp4": lambda path: plain(path, "-vf", "select='eq(n,0)'"),
    "photo.webm": photo,
    "old.avi": lambda path: plain(path, "-c:v", "mpeg4", "-c:a", "libmp3lame"),
    "camera.mkv": lambda path: plain(path, rate="30000/1001"),
    "fragments.mp4": lambda path: plain(path, "-movflags", "+frag_keyframe+empty_moov"),
    "stills.mp4": stills,
}
#: With the code of its reason.
UNUSABLE: dict[str, tuple[str, Callable[[Path], object]]] = {
    "empty.mp4": ("EMPTY_FILE", lambda path: path.write_bytes(b"")),
    "text.mp4": ("NOT_A_VIDEO", lambda path: path.write_text("강의 자료입니다.\n" * 50)),
    "zeros.mp4": ("NOT_A_VIDEO", lambda path: path.write_bytes(bytes(5000))),
    "picture.mp4": (
        "NOT_A_VIDEO",
        lambda path: run(*pattern(seconds=0.04), "-frames:v", "1", "-f", "mjpeg", path),
    ),
    "animation.gif": ("NOT_A_VIDEO", lambda path: run(*pattern("64x36", "5", 1), path)),
    "playlist.mp4": ("NOT_A_VIDEO", playlist),
    "script.mp4": ("NOT_A_VIDEO", script),
    "sound.m4a": ("NO_VIDEO_STREAM", sound_only),
    "sound.mp3": ("NO_VIDEO_STREAM", lambda path: run(*_TONE, path)),
    "cover.m4a": ("NO_VIDEO_STREAM", cover_only),
    "two halves.ts": ("JOINED", lambda path: joined(path, shares=(1, 1))),
    "long and short.ts": ("JOINED", lambda path: joined(path, shares=(1, 0.3))),
    "unknown codec.mp4": ("UNKNOWN_CODEC", unknown_codec),
    "index missing.mp4": ("TRUNCATED", index_missing),
    "cut.mp4": ("TRUNCATED", cut),
    "hollow.mp4": ("UNREADABLE", lambda path: hollow(path, 0.25)),
    "hollow tail.mp4": ("UNREADABLE", lambda path: hollow(path, 0.7)),
}


def shelf(factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which the test modules share what was rendered."""
    folder = factory.getbasetemp() / "held"
    folder.mkdir(exist_ok=True)
    return folder


def make(name: str, folder: Path) -> Path:
    """Return the upload of that name, rendered into `folder` once."""
    path = folder / name
    if not path.exists():
        maker = UNUSABLE[name][1] if name in UNUSABLE else USABLE[name]
        maker(path)
    return path
