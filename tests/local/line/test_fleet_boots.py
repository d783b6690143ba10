"""Boots that fail: some of them, and the work goes on; all of them, and the breaker stops it."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from config.settings import load_settings
from tests.local.line import fleets
from tests.local.line.platform import VIDEO_GROUP, Platform, wait_for

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(900)]
BREAKER = f"{VIDEO_GROUP}-breaker"
SCALING = load_settings("local").scaling
#: With a fifth of them failing, this seed lets the first boot be one of those.
FIRST = 2


@pytest.fixture
def boots(platform: Platform) -> Iterator[Callable[..., dict[str, Any]]]:
    """Let a share of the boots fail, `boots(0.2)`, or ask how many did; all work afterwards."""

    def ask(share: float | None = None, seed: int = 0) -> dict[str, Any]:
        url = f"{platform.address['AWS_ENDPOINT_URL']}/_local/boots"
        if share is None:
            return dict(requests.get(url, timeout=10).json())
        wanted = {"fail_share": share, "seed": seed}
        return dict(requests.post(url, json=wanted, timeout=10).json())

    wait_for("the fleet is empty", lambda: fleets.empty(platform))
    wait_for("the breaker is closed", lambda: state(platform) != "ALARM", within_s=400)
    yield ask
    ask(0)


@contextmanager
def told(platform: Platform) -> Iterator[list[dict[str, Any]]]:
    """Collect what the operators' topic is told, as an HTTP subscriber of it."""
    messages: list[dict[str, Any]] = []

    class Subscriber(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if "Message" in body:
                messages.append(json.loads(body["Message"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Subscriber)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sns = platform.client("sns")
    [topic] = fleets.alarm(platform, BREAKER)["AlarmActions"]
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    arn = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=url)["SubscriptionArn"]
    try:
        yield messages
    finally:
        sns.unsubscribe(SubscriptionArn=arn)
        server.shutdown()


def state(platform: Platform) -> str:
    return str(fleets.alarm(platform, BREAKER)["StateValue"])


def completed(platform: Platform, source: Path, count: int) -> list[int]:
    videos = [platform.upload(source) for _ in range(count)]
    for video in videos:
        assert platform.complete(video).status_code == 200
    return videos


def failed_boots(platform: Platform) -> list[dict[str, Any]]:
    """Return the records of boots that failed."""
    return [
        line
        for _, line in fleets.fleet_log(platform, "boot/")
        if line.get("event") == "boot" and line["outcome"] == "failed"
    ]


def test_with_a_fifth_of_the_boots_failing_the_work_goes_on(
    platform: Platform, short: Path, boots: Callable[..., dict[str, Any]]
) -> None:
    boots(0.2, FIRST)
    videos = completed(platform, short, 10)
    with told(platform) as messages:
        assert {platform.ended(video)["status"] for video in videos} == {"READY"}
        wait_for("the fleet is empty again", lambda: fleets.empty(platform))
    assert boots()["failing"] >= 1
    assert [each for each in messages if each["AlarmName"] == BREAKER] == []
    done = fleets.runs(platform, fleets.jobs_of(platform, videos))
    assert {run.attempt for run in done} == {1}
    assert fleets.ended_while_busy(platform, done) == []


@pytest.mark.parametrize("until_ok", [False, pytest.param(True, marks=pytest.mark.proof)])
def test_with_all_boots_failing_the_breaker_stops_them_and_says_why(
    platform: Platform, short: Path, boots: Callable[..., dict[str, Any]], until_ok: bool
) -> None:
    boots(1)
    began = fleets.now()
    with told(platform) as messages:
        [video] = completed(platform, short, 1)
        wait_for("the breaker opens", lambda: state(platform) == "ALARM")
        opened = len(fleets.launches(platform, began))
        assert opened <= SCALING.failed_boots + 1
        wait_for("a probe", lambda: len(fleets.launches(platform, began)) > opened + 1)
        reason = fleets.alarm(platform, BREAKER)["StateReason"]
        boots(0)
        assert platform.ended(video)["status"] == "READY"
        if until_ok:
            wait_for("the breaker is closed", lambda: state(platform) == "OK", within_s=400)
    probes = [each["StartTime"] for each in fleets.launches(platform, began)[opened:]]
    gaps_s = [(b - a).total_seconds() for a, b in itertools.pairwise(probes)]
    assert all(gap_s > SCALING.probe_every_s * 0.75 for gap_s in gaps_s), gaps_s

    last = failed_boots(platform)[-1]
    assert last["step"] in reason
    assert last["reason"] in reason
    [alarmed] = [each for each in messages if each["NewStateValue"] == "ALARM"]
    assert (alarmed["AlarmName"], alarmed["OldStateValue"]) == (BREAKER, "OK")
    assert last["step"] in alarmed["NewStateReason"]
    assert last["reason"] in alarmed["NewStateReason"]
    assert platform.rows("select attempt from video_jobs where video_id = %s", video) == [(1,)]
