"""The loop, schedule expressions, and the rules that fire."""

from __future__ import annotations

import io
import logging
import queue
import re
import threading
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from local.clock import ManualClock
from local.control.cron import Cron, InvalidScheduleError, Rate, parse
from local.control.loop import Loop
from local.control.schedules import Schedules
from local.hosts import Invocation
from local.protocol import ServiceError
from local.server import build

START = 1_750_000_007.0
ARN = "arn:aws:lambda:ap-northeast-2:123456789012:function:f"


class Counter:
    def __init__(self) -> None:
        self.ticks: list[float] = []

    def tick(self, now: float) -> None:
        self.ticks.append(now)


class Broken:
    def tick(self, now: float) -> None:
        raise RuntimeError("broken")


def test_a_controller_that_fails_is_logged_once_and_stops_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counter = Counter()
    loop = Loop(ManualClock(START), [Broken(), counter])
    with caplog.at_level(logging.ERROR):
        loop.tick()
        loop.tick()
    assert counter.ticks == [START, START]
    assert len(caplog.records) == 1
    assert "Broken" in caplog.text


def test_the_loop_ticks_in_a_thread_until_stopped() -> None:
    ticked: queue.Queue[float] = queue.Queue()

    class Reporter:
        def tick(self, now: float) -> None:
            ticked.put(now)

    loop = Loop(ManualClock(START), [Reporter()], interval_s=0.01)
    loop.start()
    assert ticked.get(timeout=10) == START
    loop.stop()


@pytest.mark.parametrize(
    ("expression", "period_s"),
    [
        ("rate(1 minute)", 60),
        ("rate(5 minutes)", 300),
        ("rate(2 hours)", 7200),
        ("rate(1 day)", 86400),
    ],
)
def test_rates_are_read(expression: str, period_s: int) -> None:
    assert parse(expression) == Rate(period_s)


@pytest.mark.parametrize(
    ("expression", "moment", "fires"),
    [
        ("cron(0 10 * * ? *)", "2026-03-02T10:00:59", True),
        ("cron(0 10 * * ? *)", "2026-03-02T10:01:00", False),
        ("cron(0/15 * * * ? *)", "2026-03-02T03:45:00", True),
        ("cron(0 18 ? * MON-FRI *)", "2026-03-02T18:00:00", True),
        ("cron(0 18 ? * MON-FRI *)", "2026-03-01T18:00:00", False),
        ("cron(0 0 ? * 1 *)", "2026-03-01T00:00:00", True),
        ("cron(30 4 1,15 JAN,MAR ? 2026)", "2026-03-15T04:30:00", True),
    ],
)
def test_cron_names_its_minutes_in_utc(expression: str, moment: str, fires: bool) -> None:
    schedule = parse(expression)
    assert isinstance(schedule, Cron)
    assert schedule.matches(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()) is fires


@pytest.mark.parametrize(
    "expression",
    [
        "rate(0 minutes)",
        "rate(1 minutes)",
        "rate(2 minute)",
        "rate(1 week)",
        "cron(0 10 * * *)",
        "cron(0 10 * * * *)",
        "cron(60 10 * * ? *)",
        "cron(0 10 L * ? *)",
        "cron(0 10 5-2 * ? *)",
        "at(2026-01-01T00:00:00)",
    ],
)
def test_a_schedule_that_cannot_be_played_is_refused(expression: str) -> None:
    with pytest.raises(InvalidScheduleError, match=re.escape(expression[:4])):
        parse(expression)


class Functions:
    """Answers at once and hands over what it was called with; a full one refuses."""

    def __init__(self) -> None:
        self.calls: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.refused: queue.Queue[str] = queue.Queue()
        self.full = False

    def invoke(self, name_or_arn: str, event: Mapping[str, Any]) -> Invocation:
        if self.full:
            self.refused.put(event["time"])
            raise ServiceError("TooManyRequestsException", "Rate Exceeded.", 429)
        self.calls.put((name_or_arn, event))
        return Invocation(None, None, "")


class Account:
    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.clients = build(port=4566, clock=self.clock).clients
        self.events = self.clients.client("events")
        self.functions = Functions()
        self.schedules = Schedules(self.clients, self.functions)

    def rule(self, expression: str, target: str = ARN, **more: Any) -> None:
        self.events.put_rule(Name="r", ScheduleExpression=expression)
        self.events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": target, **more}])

    def fired(self, seconds: float) -> int:
        """Return how often the rule fires while the clock goes on in half-second ticks."""
        for _ in range(int(seconds * 2)):
            self.schedules.tick(self.clock.now())
            self.clock.advance(0.5)
        count = 0
        while True:
            try:
                self.functions.calls.get(timeout=0.2)
            except queue.Empty:
                return count
            count += 1


@pytest.fixture
def account() -> Account:
    return Account()


def test_a_new_rate_rule_fires_at_once_and_then_each_period(account: Account) -> None:
    account.rule("rate(1 minute)")
    assert account.fired(1) == 1
    assert account.fired(59) == 0
    assert account.fired(1) == 1
    assert account.fired(180) == 3


def test_the_event_says_that_it_was_scheduled(account: Account) -> None:
    account.rule("rate(1 minute)")
    account.schedules.tick(START)
    name, event = account.functions.calls.get(timeout=10)
    assert name == ARN
    assert (event["source"], event["detail-type"]) == ("aws.events", "Scheduled Event")
    assert event["time"] == "2025-06-15T15:06:47Z"


def test_a_cron_rule_fires_once_in_its_minute(account: Account) -> None:
    account.rule("cron(8 15 * * ? *)")
    assert account.fired(50) == 0
    assert account.fired(70) == 1


def test_a_disabled_or_deleted_rule_is_silent(account: Account) -> None:
    account.rule("rate(1 minute)")
    account.events.disable_rule(Name="r")
    assert account.fired(120) == 0
    account.events.enable_rule(Name="r")
    assert account.fired(60) == 1
    account.events.remove_targets(Rule="r", Ids=["1"])
    account.events.delete_rule(Name="r")
    assert account.fired(120) == 0


def refused(account: Account, seconds: int) -> list[int]:
    """Return in which of the next seconds a full function refuses."""
    account.functions.full = True
    found = []
    for second in range(seconds):
        account.schedules.tick(account.clock.now())
        account.clock.advance(1)
        for thread in threading.enumerate():
            if thread.name.startswith("schedule "):
                thread.join()
        if not account.functions.refused.empty():
            account.functions.refused.get()
            found.append(second)
    return found


def test_an_event_that_is_throttled_is_tried_again_ever_more_slowly(account: Account) -> None:
    account.rule("rate(1 hour)")
    assert refused(account, 18) == [0, 1, 3, 7, 15]
    account.functions.full = False
    assert account.fired(12) == 0
    account.schedules.tick(account.clock.now() + 1)
    _, event = account.functions.calls.get(timeout=10)
    assert event["time"] == "2025-06-15T15:06:47Z", "the event keeps its own time"


def test_an_event_that_is_too_old_is_dropped(
    account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    iam, functions = account.clients.client("iam"), account.clients.client("lambda")
    role = iam.create_role(RoleName="f", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("handler.py", "")
    functions.create_function(
        FunctionName="f",
        Role=role,
        Runtime="python3.13",
        Handler="handler.handler",
        Code={"ZipFile": zipped.getvalue()},
    )
    functions.put_function_event_invoke_config(FunctionName="f", MaximumEventAgeInSeconds=60)
    account.rule("rate(1 hour)")
    assert refused(account, 80) == [0, 1, 3, 7, 15, 31]
    assert "until it was too old" in caplog.text


def test_a_queue_gets_the_targets_constant_input(account: Account) -> None:
    sqs = account.clients.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    arn = "arn:aws:sqs:ap-northeast-2:123456789012:q"
    account.rule("rate(1 hour)", arn, Input='{"action": "sweep"}')
    account.schedules.tick(START)
    [message] = sqs.receive_message(QueueUrl=url)["Messages"]
    assert message["Body"] == '{"action": "sweep"}'


def test_a_target_that_is_not_played_is_logged(
    account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    account.rule("rate(1 minute)", InputPath="$.detail")
    with caplog.at_level(logging.ERROR):
        account.schedules.tick(START)
    assert "is not played" in caplog.text
