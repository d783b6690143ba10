"""The function as a whole: one question to the API, fleets side by side, and its minute."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from config.contracts.fleet_facts import FleetFact
from config.contracts.fleet_rules import encode_rules
from config.contracts.metrics import FETCH_FAILED_LINE
from config.contracts.names import REGION
from lambdas.queue_depth_metric import handler as module
from lambdas.queue_depth_metric.api import FetchFailed
from lambdas.queue_depth_metric.budget import API_WAIT_S, CALL_S, TICK_ROOM_S, Budget, OutOfTime
from lambdas.queue_depth_metric.clients import Clients
from lambdas.queue_depth_metric.environment import FunctionSettings
from lambdas.queue_depth_metric.look import FleetLook
from tests.unit.lambdas.metric_rules import fact, rules

KEY = "internal-key-Qz81"
VIDEO = rules()
AI = rules(kind="ai", group="ai-group", queues=("a", "b", "c"), slots=2)
MESSAGING = rules(kind="messaging", group="messaging-group", queues=("m",))


class Cloud:
    """Every client of AWS at once: answers for empty groups that grow; `breaks` a group's calls."""

    def __init__(self, breaks: str = "", error: Exception | None = None) -> None:
        self.desired: dict[str, int] = {}
        self._breaks, self._error = breaks, error
        self._both = threading.Barrier(2, timeout=10)
        self.met = False

    def clients(self) -> Clients:
        return Clients(self, self, self, self)

    def describe_auto_scaling_groups(self, AutoScalingGroupNames: list[str]) -> Any:  # noqa: N803
        [name] = AutoScalingGroupNames
        if name == self._breaks and self._error:
            raise self._error
        size = {"DesiredCapacity": self.desired.get(name, 0), "MinSize": 0, "MaxSize": 9}
        return {"AutoScalingGroups": [{**size, "Instances": []}]}

    def set_desired_capacity(self, **params: Any) -> None:
        self.desired[params["AutoScalingGroupName"]] = params["DesiredCapacity"]

    def get_queue_url(self, **_: str) -> Any:
        return {"QueueUrl": "u"}

    def get_queue_attributes(self, **_: Any) -> Any:
        return {
            "Attributes": {
                "ApproximateNumberOfMessages": "0",
                "ApproximateNumberOfMessagesNotVisible": "0",
            }
        }

    def put_metric_data(self, **_: Any) -> None:
        return None

    def filter_log_events(self, **_: Any) -> Any:
        return {"events": []}


def function(ask: Any, cloud: Cloud, *fleets: Any) -> module.Function:
    settings = FunctionSettings("http://127.0.0.1:9", "arn:x", "local", fleets, 10)
    return module.Function(settings, ask, cloud.clients())


def test_the_api_is_asked_once_a_look_for_all_fleets() -> None:
    asked: list[int] = []

    def ask() -> dict[str, FleetFact]:
        asked.append(1)
        return {"video": fact(2), "ai": fact(3), "messaging": fact(0)}

    cloud = Cloud()
    function(ask, cloud, VIDEO, AI, MESSAGING).look()
    assert len(asked) == 1
    assert cloud.desired == {VIDEO.group: 2, "ai-group": 2}


def test_what_was_asked_for_during_a_look_is_not_lowered_by_it() -> None:
    class Busy(Cloud):
        looks = 0

        def describe_auto_scaling_groups(self, **params: Any) -> Any:
            self.looks += 1
            if self.looks == 2:
                self.desired[VIDEO.group] = 5
            return super().describe_auto_scaling_groups(**params)

    cloud = Busy()
    function(lambda: {"video": fact(2)}, cloud, VIDEO).look()
    assert cloud.desired == {VIDEO.group: 5}


@pytest.mark.parametrize("error", [FetchFailed("connect", "refused"), ValueError("a bug")])
def test_a_failed_question_is_logged_once_with_its_hop(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def ask() -> dict[str, FleetFact]:
        raise error

    function(ask, Cloud(), VIDEO, AI).look()
    [line] = [line for line in caplog.messages if FETCH_FAILED_LINE in line]
    assert "hop=" in line


def test_an_api_that_trickles_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "API_WAIT_S", 0.05)
    never = threading.Event()
    try:
        looks = function(lambda: never.wait(60), Cloud(), VIDEO)
        looks.look()
        looks.look()
    finally:
        never.set()
    lines = [line for line in caplog.messages if FETCH_FAILED_LINE in line]
    assert len(lines) == 2
    assert all("hop=time-out" in line for line in lines)


@pytest.mark.parametrize("error", [RuntimeError("a bug"), KeyError("DesiredCapacity")])
def test_one_fleets_fault_stays_with_it(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    cloud = Cloud(breaks=VIDEO.group, error=error)
    function(lambda: {"video": fact(2), "ai": fact(1)}, cloud, VIDEO, AI).look()
    assert cloud.desired == {"ai-group": 1}
    [record] = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert VIDEO.group in record.getMessage()
    assert record.exc_info


def test_fleets_are_looked_at_side_by_side() -> None:
    """Each of two fleets waits in its first call until the other one is there as well."""

    class Meeting(Cloud):
        def describe_auto_scaling_groups(self, **params: Any) -> Any:
            self._both.wait()
            return super().describe_auto_scaling_groups(**params)

    cloud = Meeting()
    function(lambda: {"video": fact(1), "ai": fact(1)}, cloud, VIDEO, AI).look()
    assert cloud.desired == {VIDEO.group: 1, "ai-group": 1}


class SlowCloud(Cloud):
    """Each call takes its longest by a hand-moved clock, and then answers or fails."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.calls: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name.split("_", maxsplit=1)[0] in (
            "describe",
            "set",
            "get",
            "put",
            "filter",
            "terminate",
        ):
            self.calls.append(name)
            self.now += CALL_S
        return found


@pytest.mark.parametrize("fleet", [VIDEO, AI, MESSAGING])
@pytest.mark.parametrize("answer_s", [0.0, API_WAIT_S])
def test_no_look_outlasts_its_room_however_slow_each_call_is(fleet: Any, answer_s: float) -> None:
    cloud = SlowCloud()
    looks = FleetLook(
        fleet, cloud.clients(), environment="local", now=lambda: cloud.now, write=lambda _: None
    )

    def known() -> dict[str, FleetFact]:
        cloud.now = max(cloud.now, began + answer_s)
        return {fleet.kind: fact(5, spot_losses=9)}

    for _ in range(30):
        began = cloud.now
        looks.look(known, Budget(began + TICK_ROOM_S, lambda: cloud.now))
        assert cloud.now - began <= TICK_ROOM_S
        cloud.now = began + 10
    assert "describe_auto_scaling_groups" in cloud.calls


def test_a_fleet_grows_though_the_api_answers_at_the_last_moment() -> None:
    cloud = Cloud()
    now = [0.0]
    looks = FleetLook(
        AI, cloud.clients(), environment="local", now=lambda: now[0], write=lambda _: None
    )

    def known() -> dict[str, FleetFact]:
        now[0] = API_WAIT_S
        return {"ai": fact(4)}

    looks.look(known, Budget(TICK_ROOM_S, lambda: now[0]))
    assert cloud.desired == {"ai-group": 2}


def test_boots_are_read_though_the_api_does_not_answer() -> None:
    cloud, now, read = Cloud(), [0.0], []
    cloud.desired[VIDEO.group] = 1
    looks = FleetLook(
        VIDEO, cloud.clients(), environment="local", now=lambda: now[0], write=lambda _: None
    )

    def filter_log_events(**asked: Any) -> dict[str, Any]:
        read.append(asked["logGroupName"])
        return {"events": []}

    def known() -> None:
        now[0] = API_WAIT_S

    cloud.filter_log_events = filter_log_events  # type: ignore[method-assign]
    looks.look(known, Budget(TICK_ROOM_S, lambda: now[0]))
    assert read == [VIDEO.boot_log_group]


def test_a_call_before_the_raise_leaves_time_for_it() -> None:
    with pytest.raises(OutOfTime):
        Budget(2 * CALL_S, lambda: 0.1).take(before_raise=True)
    Budget(2 * CALL_S, lambda: 0.1).take()
    Budget(2 * CALL_S, lambda: 0.0).take(before_raise=True)
    with pytest.raises(OutOfTime):
        Budget(CALL_S, lambda: 0.1).take()


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        secret = boto3.client("secretsmanager").create_secret(Name="key", SecretString=KEY)
        boto3.client("sqs").create_queue(QueueName=VIDEO.queues[0])
        fleets = [encode_rules(each) for each in (VIDEO, replace(MESSAGING, queues=("gone",)))]
        monkeypatch.setenv("FLEETS", json.dumps(fleets))
        monkeypatch.setenv("VIDEO_BACKLOG_API_URL", "http://127.0.0.1:9")
        monkeypatch.setenv("LAMBDA_INTERNAL_API_KEY", secret["ARN"])
        monkeypatch.setenv("ENVIRONMENT", "local")
        monkeypatch.setenv("TICK_S", "10")
        module.build.cache_clear()
        yield
        module.build.cache_clear()


@pytest.mark.usefixtures("aws")
def test_a_run_whose_minute_is_nearly_over_looks_once_and_no_key_is_in_a_log_line(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG, logger="lambdas")
    keys: list[str] = []
    value = module.SecretKey.value
    monkeypatch.setattr(
        module.SecretKey, "value", lambda self: keys.append(value(self)) or keys[-1]
    )

    assert module.handler({"time": "2020-01-01T00:00:00Z"}, Context()) == {"looks": 1}

    assert keys == [KEY], "the key was really read"
    assert any(FETCH_FAILED_LINE in line and "hop=connect" in line for line in caplog.messages)
    assert KEY not in caplog.text
    assert KEY not in repr(module.build().__dict__)


@pytest.mark.usefixtures("aws")
def test_a_run_goes_on_until_its_scheduled_minute_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    due = datetime(2026, 1, 1, 9, 0, tzinfo=UTC).timestamp()
    moments: list[float] = []

    class Clock:
        now = due + 4

        def time(self) -> float:
            return self.now

        def sleep(self, seconds: float) -> None:
            self.now += seconds

    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(module.Function, "look", lambda _: moments.append(clock.now - due))

    assert module.handler({"time": "2026-01-01T09:00:00Z"}, Context()) == {"looks": 6}
    assert moments == [4, 10, 20, 30, 40, 50]
