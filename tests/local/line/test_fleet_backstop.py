"""The metric function is stopped: an alarm tells, Auto Scaling alone adds, nothing is removed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from tests.local.line import fleets
from tests.local.line.platform import Platform, wait_for

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(900)]
RULE = "academy-worker-queue-depth-rate"
FUNCTION = "academy-worker-queue-depth-metric"
SILENCE = "academy-local-scaling-BacklogVideoSilenceAlarm"
#: Issue 5: a dead-man alarm within 3 minutes. Only the long form holds a busy machine to it.
WITHIN_S, WITHIN_S_BUSY = 180, 300


@contextmanager
def stopped(platform: Platform) -> Iterator[None]:
    """Nothing starts the metric function, and its last run is over, until the block ends."""
    events = platform.client("events")
    wait_for("the function runs", lambda: runs_of_the_function(platform))
    events.disable_rule(Name=RULE)
    try:
        wait_for("its run is over", lambda: not runs_of_the_function(platform), within_s=120)
        yield
    finally:
        events.enable_rule(Name=RULE)


def runs_of_the_function(platform: Platform) -> list[int]:
    """Return the process ids of the function's runs."""
    place = str(platform.state / "functions")
    found = []
    for process in psutil.process_iter(["cmdline", "pid"]):
        line = process.info["cmdline"] or []
        if any(each.startswith(place) for each in line) and name(process) == FUNCTION:
            found.append(process.info["pid"])
    return found


def name(process: psutil.Process) -> str:
    try:
        return process.environ().get("AWS_LAMBDA_FUNCTION_NAME", "")
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return ""


@pytest.mark.parametrize("stopped_s", [0, pytest.param(300, marks=pytest.mark.proof)])
def test_without_the_metric_function_jobs_still_get_a_worker_and_nobody_is_removed(
    platform: Platform, short: Path, long: Path, stopped_s: float
) -> None:
    wait_for("the fleet is empty", lambda: fleets.empty(platform))
    wait_for("the function speaks", lambda: state(platform) == "OK", within_s=WITHIN_S_BUSY)
    kept = platform.upload(long)
    assert platform.complete(kept).status_code == 200
    with fleets.held(platform, 1):
        [busy] = wait_for("it says so", lambda: fleets.in_state(platform, "busy"))
        with stopped(platform):
            began = fleets.now()
            with fleets.watched(platform) as seen:
                waiting = platform.upload(short)
                assert platform.complete(waiting).status_code == 200
                within_s = WITHIN_S if stopped_s else WITHIN_S_BUSY
                wait_for("the alarm tells", lambda: state(platform) == "ALARM", within_s=within_s)
                assert platform.ended(waiting)["status"] == "READY"
                assert busy in fleets.instances(platform)
            wait_for(
                f"{stopped_s} s of silence",
                lambda: fleets.now() - began >= timedelta(seconds=stopped_s),
                within_s=stopped_s + 1,
            )
        added = fleets.launches(platform, began)
    assert min(seen.desired) >= 1
    assert added
    assert all("triggered policy" in each["Cause"] for each in added)
    assert platform.ended(kept)["status"] == "READY"
    wait_for("the function speaks again", lambda: state(platform) == "OK", within_s=WITHIN_S_BUSY)
    wait_for("the fleet is empty again", lambda: fleets.empty(platform))

    done = fleets.runs(platform, fleets.jobs_of(platform, [kept, waiting]))
    assert [run.attempt for run in done] == [1, 1]
    assert fleets.ended_while_busy(platform, done) == []


def state(platform: Platform) -> str:
    return str(fleets.alarm(platform, SILENCE)["StateValue"])
