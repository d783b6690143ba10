"""ffmpeg's command lines. Pure: the same plan gives the same words, and the same bytes."""

from __future__ import annotations

from fractions import Fraction

from worker_images.video.container import input_arguments
from worker_images.video.ladder import Rendition
from worker_images.video.picture import normalising_filters
from worker_images.video.plan import Part, Plan, key_frame_times_s

#: The audio's name beside the renditions': its folder, and its output in a command.
AUDIO = "audio"
AUDIO_KBPS = 128
AUDIO_HZ = 48_000
PROGRESS_S = 0.5
#: Average bitrate: the rate may exceed the bitrate by 10 %. Both: within a buffer of 1.5 s.
_MAX_RATE, _BUFFER_S = 1.1, 1.5
#: swscale's bicubic (its B and C) by zimg: the same VMAF to 0.2 for a third of the CPU.
_BICUBIC = "filter=bicubic:param_a=0:param_b=0.6"
#: Without an index of key frames a seek lands anywhere: so long before the part it begins.
_UNINDEXED_LEAD_S = 20
_INDEXED = ("mov", "matroska")
_FRAGMENTS = "+frag_keyframe+default_base_moof+frag_discont+skip_trailer"
#: Decode times from the first frame shown on and no edit list, so that one init segment fits
#: every part, and a part moves by adding to its decode times.
_MOVABLE = "+empty_moov+negative_cts_offsets"


def part_command(
    ffmpeg: str, url: str, plan: Plan, part: Part, *, from_beginning: bool = False
) -> list[str]:
    """Return the command that encodes a part for every rendition but the copied, from one decode.

    Outputs are the words `{v1}`, `{v2}`...: fragmented MP4s from time 0 on. One thread an encoder:
    x264's rate control differs from run to run when it caps the rate with several, the renditions
    run beside each other anyway, and one thread costs the least CPU.
    """
    seek_s = 0.0 if from_beginning else _seek_s(plan, part)
    command = [
        *_start(ffmpeg),
        *("-filter_threads", "1", "-filter_complex_threads", "1", "-threads", "1"),
        *("-copyts", "-start_at_zero", "-noaccurate_seek", "-ss", f"{seek_s:.6f}"),
        *(*input_arguments(url), "-filter_complex"),
        _filters(plan, part, from_beginning=seek_s == 0),
    ]
    times = ",".join(f"{time:.6f}" for time in key_frame_times_s(plan, part))
    for rung in plan.encoded:
        command += [
            *("-map", f"[{rung.name}]", "-c:v", "libx264", "-preset", "veryfast"),
            *("-profile:v", "high", "-threads:v", "1", *_rate(rung, plan.rate_control)),
            *("-sc_threshold", "0", "-g", "9999", "-force_key_frames", times),
            *("-fps_mode", "vfr", "-enc_time_base", f"1:{plan.timescale}"),
            *_output(rung.name, plan.timescale, _FRAGMENTS + _MOVABLE),
        ]
    return command


def whole_command(ffmpeg: str, url: str, plan: Plan) -> list[str]:
    """Return the command for what is made over the whole length: audio, and the copied picture.

    Encoded per part, audio grows by a frame of padding at every seam. Silence fills its gaps, so
    that it never runs ahead of the picture by more than 20 ms.
    """
    command = [*_start(ffmpeg), "-threads", "1", *input_arguments(url)]
    if plan.source.audio is not None:
        command += [
            *("-map", f"0:{plan.source.audio.stream}", "-c:a", "aac", "-b:a", f"{AUDIO_KBPS}k"),
            *("-ar", str(AUDIO_HZ), "-ac", "2"),
            *("-af", _sound(plan)),
            *("-frag_duration", str(plan.segment_s * 1_000_000)),
            *("-movflags", "+delay_moov+default_base_moof+skip_trailer", *_bitexact(AUDIO)),
        ]
    if plan.copied:
        command += ["-map", f"0:{plan.source.video_stream}", "-c:v", "copy"]
        command += _output(plan.copied.name, plan.timescale, f"{_FRAGMENTS}+delay_moov")
    return command


def _start(ffmpeg: str) -> list[str]:
    return [
        *(ffmpeg, "-hide_banner", "-nostdin", "-y", "-loglevel", "error"),
        *("-progress", "pipe:1", "-stats_period", str(PROGRESS_S)),
    ]


def _sound(plan: Plan) -> str:
    """Return the filters that keep the sound beside the picture, from its begin to its end."""
    end_s = f"{plan.source.video_end_s:.6f}"
    placed = "aresample=async=1:min_hard_comp=0.02:first_pts=0"
    return f"{placed},apad=whole_dur={end_s},atrim=end={end_s}"


def _seek_s(plan: Plan, part: Part) -> float:
    start_s = part.cuts[0] / plan.timescale
    lead_s = 0 if plan.source.container.startswith(_INDEXED) else _UNINDEXED_LEAD_S
    return max(0.0, start_s - lead_s)


def _filters(plan: Plan, part: Part, *, from_beginning: bool) -> str:
    """Return the graph: the part's frames, from time 0 on, each rendition scaled from them."""
    largest = plan.encoded[-1]
    end = part.end or plan.end
    span = f"start_pts={part.cuts[0]}" + (f":end_pts={end}" if end else "")
    chain = [
        *normalising_filters(
            plan.source,
            width=largest.width,
            height=largest.height,
            from_beginning=from_beginning,
        ),
        f"settb=1/{plan.timescale}",
        f"trim={span}",
        f"setpts=PTS-{part.cuts[0]}",
        f"split={len(plan.encoded)}" + "".join(f"[s{rung.number}]" for rung in plan.encoded),
    ]
    scaled = [
        f"[s{rung.number}]zscale={rung.width}:{rung.height}:{_BICUBIC},setsar=1,"
        f"format=yuv420p[{rung.name}]"
        for rung in plan.encoded
    ]
    return ";".join([f"[0:{plan.source.video_stream}]{','.join(chain)}", *scaled])


def _rate(rung: Rendition, rate_control: str) -> list[str]:
    kbps = rung.bitrate_kbps
    if rate_control == "abr":
        rate = ["-b:v", f"{kbps}k", "-maxrate", f"{round(kbps * _MAX_RATE)}k"]
    else:
        rate = ["-crf", str(rung.crf), "-maxrate", f"{kbps}k"]
    return [*rate, "-bufsize", f"{round(kbps * Fraction(_BUFFER_S))}k"]


def _output(name: str, timescale: int, flags: str) -> list[str]:
    return [
        *("-video_track_timescale", str(timescale), "-avoid_negative_ts", "disabled"),
        *("-movflags", flags, *_bitexact(name)),
    ]


def _bitexact(name: str) -> list[str]:
    """Return the end of an output that holds nothing of the time and the place of its making."""
    return [
        *("-flags", "+global_header+bitexact", "-fflags", "+bitexact"),
        *("-map_metadata", "-1", "-map_chapters", "-1", "-f", "mp4", f"{{{name}}}"),
    ]
