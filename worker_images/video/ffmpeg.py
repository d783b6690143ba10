"""The one ffmpeg process of a job: its command line (pure), and how it is run."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from config.contracts.storage_keys import INIT_SEGMENT, MEDIA_PLAYLIST
from worker_images.base.cancellation import Cancellation
from worker_images.base.clock import Clock
from worker_images.base.errors import Permanent, Retryable
from worker_images.base.logging import logger
from worker_images.video import launch
from worker_images.video.ladder import Rendition
from worker_images.video.probe import Source

_log = logger("ffmpeg")
#: Longest distance of key frames; it divides the segment.
MAX_KEY_FRAME_S = 2.0
AUDIO_KBPS = 128
#: The rate control may exceed the bitrate by 10 % within a buffer of 1.5 s.
MAX_RATE = 1.1
BUFFER_S = 1.5
#: ffmpeg reports twice a second; without a new output time for this long it hangs.
STALL_S = 300.0
_POLL_S = 0.5
_STDERR_TAIL = 2000
ENCODE_FAILED = (
    "ENCODE_FAILED",
    "영상을 변환하지 못했습니다. 파일이 재생되는지 확인하고 다시 업로드해 주세요. "
    "계속되면 관리자에게 문의해 주세요.",
)
_ENVIRONMENT_FAULTS = ("No space left on device", "Cannot allocate memory")


def encode_command(
    ffmpeg: str, source_path: Path, source: Source, ladder: Sequence[Rendition], segment_s: int
) -> list[str]:
    """Return the command that encodes every rendition from one decode, audio once for all.

    It writes `vN/index.m3u8`, `vN/init.mp4` and `vN/index0.m4s`... below its working directory.
    Key frames are forced at the same times in each rendition, so segments align, and nothing in
    the output depends on the time or the place of the run. One thread an encoder: x264's rate
    control differs from run to run when it caps the rate with several, the renditions run beside
    each other anyway, and one thread costs the least CPU.
    """
    key_frame_s = segment_s / max(1, -(-segment_s // MAX_KEY_FRAME_S))
    command = [
        *(ffmpeg, "-hide_banner", "-nostdin", "-y", "-loglevel", "error"),
        *("-progress", "pipe:1", "-stats_period", str(_POLL_S)),
        *("-i", str(source_path), "-filter_complex", _filters(source, ladder)),
    ]
    for index, rendition in enumerate(ladder):
        command += ["-map", f"[{rendition.name}]", *_rate(index, rendition)]
    if source.has_audio:
        command += ["-map", "0:a:0", "-c:a", "aac", "-b:a", f"{AUDIO_KBPS}k", "-ar", "48000"]
        command += ["-ac", "2"]
    return [
        *command,
        *("-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-threads:v", "1"),
        *("-sc_threshold", "0", "-g", "9999"),
        *("-force_key_frames", f"expr:gte(t,n_forced*{key_frame_s:g})"),
        *("-fps_mode", "vfr", "-enc_time_base", "demux"),
        *("-flags", "+global_header+bitexact", "-fflags", "+bitexact"),
        *("-map_metadata", "-1", "-map_chapters", "-1"),
        *("-f", "tee", "|".join(_hls(n, r, source, segment_s) for n, r in enumerate(ladder))),
    ]


def thumbnail_command(
    ffmpeg: str, source_path: Path, source: Source, target: Path, *, at_s: float
) -> list[str]:
    """Return the command that takes the key frame before `at_s`, at most 640 pixels wide.

    The frame lies before the point sought, hence the `passthrough`: a negative time stamp would
    be dropped otherwise.
    """
    picture = "scale='min(640,iw*sar)':-2:flags=bicubic:out_range=full,setsar=1,format=yuvj420p"
    return [
        *(ffmpeg, "-hide_banner", "-nostdin", "-y", "-loglevel", "error"),
        *("-skip_frame", "nokey", "-noaccurate_seek", "-ss", f"{at_s:.3f}"),
        *("-i", str(source_path), "-map", f"0:{source.video_stream}", "-frames:v", "1"),
        *("-vf", picture, "-fps_mode", "passthrough", "-q:v", "3", "-update", "1"),
        *("-flags", "+bitexact", "-f", "image2", str(target)),
    ]


def _filters(source: Source, ladder: Sequence[Rendition]) -> str:
    """Return the graph: one decode, split, each rendition scaled from the source."""
    outputs = "".join(f"[s{rendition.number}]" for rendition in ladder)
    scaled = [
        f"[s{r.number}]scale={r.width}:{r.height}:flags=bicubic,setsar=1,format=yuv420p[{r.name}]"
        for r in ladder
    ]
    return ";".join([f"[0:{source.video_stream}]split={len(ladder)}{outputs}", *scaled])


def _rate(index: int, rendition: Rendition) -> list[str]:
    kbps = rendition.bitrate_kbps
    return [
        *(f"-b:v:{index}", f"{kbps}k", f"-maxrate:v:{index}", f"{round(kbps * MAX_RATE)}k"),
        *(f"-bufsize:v:{index}", f"{round(kbps * BUFFER_S)}k"),
    ]


def _hls(index: int, rendition: Rendition, source: Source, segment_s: int) -> str:
    """Return one slave of the tee: the HLS muxer of a rendition.

    `event` makes it list each segment as soon as it is complete.
    """
    streams = f"v:{index},a:0" if source.has_audio else f"v:{index}"
    options = {
        "f": "hls",
        "onfail": "abort",
        "select": f"\\'{streams}\\'",
        "hls_time": str(segment_s),
        "hls_playlist_type": "event",
        "hls_segment_type": "fmp4",
        "hls_flags": "independent_segments",
        "hls_fmp4_init_filename": INIT_SEGMENT,
        "hls_segment_filename": f"{rendition.name}/index%d.m4s",
        "fflags": "+bitexact",
    }
    listed = ":".join(f"{key}={value}" for key, value in options.items())
    return f"[{listed}]{rendition.name}/{MEDIA_PLAYLIST}"


@dataclass(frozen=True)
class Ffmpeg:
    """Runs ffmpeg so that it never outlives the worker, however that ends."""

    clock: Clock
    stall_s: float = STALL_S

    def run(
        self,
        command: Sequence[str],
        folder: Path,
        cancellation: Cancellation,
        on_poll: Callable[[float], None],
    ) -> None:
        """Run a command in `folder`; call `on_poll` twice a second with the seconds encoded.

        Raises: what `cancellation` or `on_poll` raises; Retryable when ffmpeg hangs, is killed
        or lacks space; Permanent when it fails on this source. ffmpeg has ended in each case.
        """
        errors = folder / "ffmpeg.log"
        launcher = [sys.executable, "-I", launch.__file__, str(os.getpid())]
        with (
            errors.open("wb") as stderr,
            subprocess.Popen(
                [*launcher, *command],
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=stderr,
            ) as process,
        ):
            try:
                self._follow(process, cancellation, on_poll)
            finally:
                process.kill()
        _check_exit(process.returncode, errors)

    def _follow(
        self,
        process: subprocess.Popen[bytes],
        cancellation: Cancellation,
        on_poll: Callable[[float], None],
    ) -> None:
        progress, moved_at = Progress(), self.clock.now()
        assert process.stdout is not None  # noqa: S101 - opened as a pipe above
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while True:
                cancellation.check()
                if selector.select(_POLL_S):
                    read = os.read(process.stdout.fileno(), 65536)
                    if not read:
                        process.wait()
                        return
                    if progress.feed(read):
                        moved_at = self.clock.now()
                if self.clock.now() - moved_at > self.stall_s:
                    raise Retryable("FFMPEG_STALLED", f"no progress for {self.stall_s:.0f} s")
                on_poll(progress.encoded_s)


class Progress:
    """Reads ffmpeg's `-progress` report, however the pipe cuts it."""

    def __init__(self) -> None:
        self.encoded_s = 0.0
        self._rest = b""

    def feed(self, data: bytes) -> bool:
        """Take in what was read; return whether the output time moved on."""
        before = self.encoded_s
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            key, _, value = line.partition(b"=")
            if key == b"out_time_us" and value.strip().isdigit():
                self.encoded_s = max(self.encoded_s, int(value) / 1_000_000)
        return self.encoded_s > before


def _check_exit(code: int, errors: Path) -> None:
    if code == 0:
        return
    tail = errors.read_bytes()[-_STDERR_TAIL:].decode(errors="replace").strip()
    if code < 0:
        raise Retryable("FFMPEG_KILLED", f"ended by signal {-code}: {tail}")
    if any(fault in tail for fault in _ENVIRONMENT_FAULTS):
        raise Retryable("FFMPEG_RESOURCES", tail)
    _log.error("ffmpeg failed", exit_code=code, stderr=tail)
    raise Permanent(*ENCODE_FAILED)
