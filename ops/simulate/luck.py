"""What nobody decides, drawn anew for each instance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import TypeVar

from ops.simulate.fleet import Weather

HOUR_S = 3600.0
T = TypeVar("T")


class Luck:
    """Draws from a fleet's weather; `boot_s` is how long its boots take in the mean."""

    def __init__(self, weather: Weather, random: Random, *, boot_s: float) -> None:
        self._weather, self._random, self._mean_boot_s = weather, random, boot_s

    def refuses(self) -> bool:
        """Say whether there is no capacity for a launch."""
        return self._random.random() < self._weather.refused

    def boot_s(self) -> float:
        """Return how long a boot takes."""
        return self._mean_boot_s * self._random.uniform(*self._weather.boot_spread)

    def warm_start_s(self) -> float:
        """Return how long a stopped instance takes until its worker polls."""
        return self._random.uniform(*self._weather.warm_start_s)

    def fails(self) -> bool:
        """Say whether a boot fails."""
        return self._random.random() < self._weather.failed_boots

    def spot_life_s(self) -> float:
        """Return when Spot takes an instance back, counted from its launch."""
        rate = self._weather.spot_losses_an_hour
        return self._random.expovariate(rate / HOUR_S) if rate else math.inf

    def is_below(self, percent: int) -> bool:
        """Say yes so many times in a hundred."""
        return self._random.random() * 100 < percent

    def sample(self, candidates: Sequence[T], count: int) -> list[T]:
        """Return so many of the candidates, or all of them."""
        return self._random.sample(candidates, min(count, len(candidates)))
