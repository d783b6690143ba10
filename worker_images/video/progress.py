"""How far an encode is, in percent, and how long it will take."""

from __future__ import annotations

from collections.abc import Mapping

from worker_images.base.clock import Clock
from worker_images.base.work import Report

#: What the encode takes of a job's percentage; the rest is looking at the source and publishing.
ENCODE_FROM, ENCODE_TO = 2.0, 98.0
_REPORT_S = 2.0


class EncodeProgress:
    """Adds up the parts. `lengths_s` is how long each part is, in seconds of its output.

    What was encoded by an earlier worker counts as done, and not in the speed. A report goes out
    only when something was encoded since the last one: the hang limit relies on it.
    """

    def __init__(self, report: Report, clock: Clock, lengths_s: Mapping[int, float]) -> None:
        self._report = report
        self._clock = clock
        self._lengths_s = lengths_s
        self._encoded_s = dict.fromkeys(lengths_s, 0.0)
        self._before_s = 0.0
        self._started_at = clock.now()
        self._reported_at, self._reported_s = 0.0, -1.0

    def found(self, part: int) -> None:
        """An earlier worker has encoded a part."""
        self._encoded_s[part] = self._lengths_s[part]
        self._before_s += self._lengths_s[part]

    def encoded(self, part: int, seconds: float) -> None:
        """Note that so many seconds of a part are encoded. Any thread may."""
        self._encoded_s[part] = min(max(seconds, self._encoded_s[part]), self._lengths_s[part])

    def done(self, part: int) -> None:
        """A part is complete."""
        self._encoded_s[part] = self._lengths_s[part]

    def look(self) -> None:
        """Report, unless it was just done or nothing was encoded since."""
        now, encoded_s = self._clock.now(), sum(self._encoded_s.values())
        if now - self._reported_at < _REPORT_S or encoded_s <= self._reported_s:
            return
        self._reported_at, self._reported_s = now, encoded_s
        total_s = sum(self._lengths_s.values())
        fresh_s, left_s = encoded_s - self._before_s, total_s - encoded_s
        speed = fresh_s / max(now - self._started_at, 0.001)
        share = encoded_s / total_s if total_s > 0 else 0.0
        percent = ENCODE_FROM + share * (ENCODE_TO - ENCODE_FROM)
        self._report(percent, "encode", left_s / speed if speed > 0 else None)
