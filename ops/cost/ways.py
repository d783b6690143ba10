"""Ways that the same lectures could go from the encoder to the screen, and what each costs."""

from __future__ import annotations

from dataclasses import dataclass

from ops.cost.prices import Prices
from ops.cost.usage import Usage


@dataclass(frozen=True)
class Way:
    """One way: dollars for bytes that leave, for what one month adds to the store, for both."""

    name: str
    out_usd: float
    kept_usd: float

    @property
    def usd(self) -> float:
        """A month, the first one: what is kept grows by `kept_usd` each further month."""
        return self.out_usd + self.kept_usd


def ways(usage: Usage, prices: Prices) -> list[Way]:
    """Return the ways, without encoding and requests, in which they differ little."""
    days, lectures = prices.days_per_month, usage.lectures
    stored_gb = usage.lecture_gb(days, lectures.stored_mbps)
    larger_gb = usage.lecture_gb(days, lectures.stored_mbps_at_bitrates)
    watched_gb = usage.watched_gb(days)
    api_gb = usage.api_gb(days)

    def sent(key: str, gb: float) -> float:
        price = prices.of(key)
        return max(0.0, gb + api_gb - (price.free or 0)) * price.usd

    def kept(key: str, gb: float) -> float:
        price = prices.of(key)
        return max(0.0, gb - (price.free or 0)) * price.usd

    return [
        Way("R2, by quality", sent("internet.out", stored_gb), kept("r2.gb", stored_gb)),
        Way("R2, at fixed bitrates", sent("internet.out", larger_gb), kept("r2.gb", larger_gb)),
        Way("S3 and CloudFront", sent("cloudfront.out", watched_gb), kept("s3.gb", stored_gb)),
        Way("R2, encoded outside AWS", sent("internet.out", 0), kept("r2.gb", stored_gb)),
    ]
