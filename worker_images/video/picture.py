"""The filters that turn any picture into progressive 8 bit SDR at a constant rate. Pure."""

from __future__ import annotations

from worker_images.video.source import Source

#: A picture without a name for its colours has those of HD from this short side on.
_HD_SHORT_SIDE = 720
_RGB, _HD, _UNNAMED = 0, 1, 2
_SD = frozenset({4, 5, 6})
#: Browsers record windows of any size with halved colours; zimg takes no half of a pixel.
_EVEN = "crop=trunc(iw/2)*2:trunc(ih/2)*2"
#: The format as well, or the pixels stay in a format whose very name says full range (yuvj420p).
_NARROWED = ["scale=out_range=tv", "format=yuv420p"]


def normalising_filters(
    source: Source, *, width: int, height: int, from_beginning: bool = True
) -> list[str]:
    """Return the filters between the decoder and the trim to a part, which ends the stream.

    Where frames are placed anew, the first is shown from 0 on when decoding begins there, and
    the last without end.

    `width` and `height` are the largest rendition's: an HDR picture is scaled to them before its
    tones are mapped, which is done on floats and costs by the pixel. Rotation is the decoder's
    (`-autorotate`); the pixels' shape goes with the scaling. The colours are always named, or a
    small rendition would be taken for SD and change its tint against a large one.
    """
    filters = []
    if source.interlaced:
        filters.append("bwdif=mode=send_frame:deint=interlaced")
    if source.is_vfr:
        filters += [
            f"setpts=PTS-({source.off_grid_s:.6f})/TB",
            f"fps={source.fps}" + (":start_time=0" if from_beginning else ""),
            "tpad=stop=-1:stop_mode=clone",
        ]
    return [*filters, *color_filters(source, width=width, height=height)]


def color_filters(source: Source, *, width: int, height: int) -> list[str]:
    """Return those of them that a single picture needs."""
    if source.hdr:
        return [_EVEN, *_tone_mapping(source.hdr, width, height)]
    return [_EVEN, *_named_colors(source)]


def _tone_mapping(transfer: str, width: int, height: int) -> list[str]:
    """Return PQ or HLG, whose primaries are those of BT.2020 by ITU-R BT.2100, to SDR.

    Mobius leaves all but the highlights as they are, so that a board stays white: the reference
    white of ITU-R BT.2408 comes out at 92 %, of both transfers, where Hable makes it 75 %.
    """
    return [
        f"setparams=color_primaries=bt2020:color_trc={transfer}:colorspace=bt2020nc",
        f"zscale=w={width}:h={height}:t=linear:npl=100",
        "format=gbrpf32le",
        "zscale=p=bt709",
        "tonemap=tonemap=mobius:desat=0",
        "zscale=t=bt709:m=bt709:r=tv",
        "format=yuv420p",
    ]


def _named_colors(source: Source) -> list[str]:
    is_hd = min(source.width, source.height) >= _HD_SHORT_SIDE
    if source.matrix in _SD or (source.matrix == _UNNAMED and not is_hd):
        name = "smpte170m"
        conversion = _NARROWED if source.full_range else []
    elif source.matrix in (_HD, _UNNAMED):
        name = "bt709"
        conversion = _NARROWED if source.full_range else []
    else:
        name = "bt709"
        conversion = ["scale=out_color_matrix=bt709:out_range=tv", "format=yuv420p"]
    params = f"color_primaries={name}:color_trc={name}:colorspace={name}:range=tv"
    return [*conversion, f"setparams={params}"]
