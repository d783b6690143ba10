"""What a probe found out about an uploaded video."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

#: A start that no eye sees: a packet of sound lasts 21 ms and often comes first.
UNSEEN_S = 0.03


@dataclass(frozen=True)
class AudioTrack:
    """A track of sound; `stream` is its index in the file, as in `-map 0:<stream>`."""

    stream: int
    codec: str
    channels: int
    is_default: bool
    decodable: bool


@dataclass(frozen=True)
class Source:
    """A readable video. Sizes are as shown: rotated, in square pixels.

    Times are in seconds from the file's first packet on, as ffmpeg's output counts them. Pictures
    are shown until `video_end_s`: the last one is held while there is sound.
    `fps` is the output's constant rate. `is_vfr` says that the source's frames do not come exactly
    at it, or that no index tells: they are placed anew, repeated or left out if need be.
    `transfer`, `matrix` and `primaries` are the numbers of ITU-T H.273, 2 when the file names
    none; `hdr` is zscale's name of an HDR transfer.
    `gop_max_s` is the longest distance of key frames, None where the file has no index of them;
    without an index a seek reads the file from its beginning.
    """

    duration_s: float
    video_start_s: float
    video_end_s: float
    width: int
    height: int
    rotation: int
    square_pixels: bool
    fps: Fraction
    is_vfr: bool
    video_stream: int
    container: str
    codec: str
    profile: str
    pixel_format: str
    bit_depth: int
    interlaced: bool
    transfer: int
    matrix: int
    primaries: int
    full_range: bool
    video_bps: int
    gop_max_s: float | None
    size_bytes: int
    audio_tracks: tuple[AudioTrack, ...]

    @property
    def audio(self) -> AudioTrack | None:
        """The track that is heard: the default one, else the first, of those that decode."""
        heard = [track for track in self.audio_tracks if track.decodable]
        return min(heard, key=lambda track: (not track.is_default, track.stream), default=None)

    @property
    def has_audio(self) -> bool:
        """Whether any track can be heard."""
        return self.audio is not None

    @property
    def hdr(self) -> str | None:
        """PQ and HLG are the two transfers of HDR (ITU-R BT.2100)."""
        return {16: "smpte2084", 18: "arib-std-b67"}.get(self.transfer)

    @property
    def off_grid_s(self) -> float:
        """How much earlier the pictures are shown to come at whole frames, later if negative.

        Those in the middle between two places would go to one or the other by their jitter, and
        some be lost.
        """
        if self.video_start_s <= UNSEEN_S:
            return self.video_start_s
        return self.video_start_s - float(round(self.video_start_s * self.fps) / self.fps)

    @property
    def placed_frames(self) -> int:
        """How many frames there are once they are placed anew."""
        return max(1, round((self.video_end_s - self.off_grid_s) * self.fps))
