"""What boot records come to: failures in a row, the reason, and how long a record counts."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.queue_depth_metric import breaker
from lambdas.queue_depth_metric.sizing import Boots, breaker_is_open
from tests.unit.lambdas.metric_rules import boot, rules

NOW = 1_000.0


@pytest.mark.parametrize(
    ("outcomes", "failed"),
    [("", 0), ("g", 0), ("f", 1), ("ff", 2), ("fgf", 1), ("ffg", 0), ("gfff", 3), ("fffffff", 7)],
)
def test_failures_count_since_the_last_boot_that_worked(outcomes: str, failed: int) -> None:
    ends = [
        boot(float(at), failed=each == "f", instance_id=f"i-{at}")
        for at, each in enumerate(outcomes)
    ]
    assert breaker.boots(ends, under_way=0, now=NOW).failed_in_a_row == failed


def test_no_record_is_no_breaker_and_an_endless_time() -> None:
    assert breaker.boots([], under_way=2, now=NOW) == Boots(0, math.inf, 2)


def test_the_latest_boot_says_how_long_ago_it_was_and_never_in_the_future() -> None:
    ends = [boot(900, failed=True), boot(990, failed=True, instance_id="i-2")]
    assert breaker.boots(ends, under_way=0, now=NOW).since_last_s == 10
    assert breaker.boots(ends, under_way=0, now=980).since_last_s == 0


def test_the_reason_is_that_of_the_latest_failure() -> None:
    ends = [
        boot(3, failed=True, instance_id="i-3", step="docker"),
        boot(1, failed=True, instance_id="i-1"),
        boot(4, failed=False, instance_id="i-4"),
    ]
    assert breaker.reason(ends) == "i-3 failed to boot at docker: manifest unknown"
    assert breaker.reason([boot(4, failed=False)]) == ""
    assert len(breaker.reason(ends, limit=20)) == 20


@given(st.integers(1, 100), st.integers(10, 86400), st.integers(10, 3600))
def test_probes_alone_keep_an_open_breaker_open(
    failed_boots: int, probe_every_s: int, boot_limit_s: int
) -> None:
    told = rules(failed_boots=failed_boots, probe_every_s=probe_every_s, boot_limit_s=boot_limit_s)
    # Each probe starts when the last end is so old, and fails after its limit.
    apart_s = probe_every_s + boot_limit_s
    ends = [
        boot(index * apart_s, failed=True, instance_id=f"i-{index}")
        for index in range(3 * failed_boots + 3)
    ]
    now = ends[-1].at_s + apart_s
    counting = [end for end in ends if end.at_s >= now - breaker.kept_s(told)]
    assert breaker_is_open(breaker.boots(counting, under_way=0, now=now), told)


@given(st.permutations([boot(float(at), failed=at > 2, instance_id=f"i-{at}") for at in range(6)]))
def test_the_order_of_reading_makes_no_difference(ends: list[breaker.BootEnd]) -> None:
    assert breaker.boots(ends, under_way=0, now=NOW) == Boots(3, NOW - 5, 0)
