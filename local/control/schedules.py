"""Scheduled EventBridge rules: their targets are called when it is time."""

from __future__ import annotations

import json
import logging
import threading
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from local.control.cron import Cron, InvalidScheduleError, Rate, parse
from local.hosts import Functions
from local.protocol import ServiceError
from local.services.autoscaling.sources import ClientSource

_log = logging.getLogger(__name__)

#: Seconds between two readings of the rules.
_READ_EVERY_S = 2.0
#: How Lambda repeats an event that its function's concurrency did not let in: after a second, then
#: twice as long each time, until the event is too old.
#: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
_FIRST_WAIT_S, _LONGEST_WAIT_S, _OLDEST_S = 1.0, 300.0, 21_600


@dataclass
class _Watched:
    expression: str
    schedule: Rate | Cron | None
    due_at: float


@dataclass(frozen=True)
class _Event:
    """An event for a function: when it came about, when it is tried (again), after which wait."""

    arn: str
    body: Any
    born_at: float
    due_at: float
    wait_s: float = _FIRST_WAIT_S


class Schedules:
    """Fires enabled rate() and cron() rules at Lambda functions and SQS queues.

    A rate rule fires at first sight and then each period; a cron rule in each minute it names.
    Functions run in threads of their own, and end by themselves when their rule is disabled; an
    event that is throttled is tried again. Periods missed are not made up for.
    """

    def __init__(self, clients: ClientSource, functions: Functions) -> None:
        self._clients = clients
        self._functions = functions
        self._watched: dict[str, _Watched] = {}
        self._rules: list[dict[str, Any]] = []
        self._read_at: float | None = None
        self._throttled: list[_Event] = []
        self._lock = threading.Lock()

    def tick(self, now: float) -> None:
        """Fire what is due."""
        for event in self._due(now):
            self._start(event)
        if self._read_at is None or not 0 <= now - self._read_at < _READ_EVERY_S:
            self._rules = self._scheduled()
            self._read_at = now
        for rule in self._rules:
            watched = self._watch(rule, now)
            if watched.schedule is None or now < watched.due_at:
                continue
            fires = isinstance(watched.schedule, Rate) or watched.schedule.matches(now)
            watched.due_at = _next(watched, now)
            if fires and rule["State"] == "ENABLED":
                self._fire(rule, now)

    def _scheduled(self) -> list[dict[str, Any]]:
        pages = self._clients.client("events").get_paginator("list_rules").paginate()
        rules = [rule for page in pages for rule in page["Rules"] if rule.get("ScheduleExpression")]
        arns = {rule["Arn"] for rule in rules}
        self._watched = {arn: kept for arn, kept in self._watched.items() if arn in arns}
        return rules

    def _watch(self, rule: dict[str, Any], now: float) -> _Watched:
        expression = rule["ScheduleExpression"]
        watched = self._watched.get(rule["Arn"])
        if watched is None or watched.expression != expression:
            try:
                schedule = parse(expression)
            except InvalidScheduleError as error:
                _log.error("rule %s never fires: %s", rule["Name"], error)
                schedule = None
            watched = self._watched[rule["Arn"]] = _Watched(expression, schedule, now)
        return watched

    def _fire(self, rule: dict[str, Any], now: float) -> None:
        targets = self._clients.client("events").list_targets_by_rule(Rule=rule["Name"])["Targets"]
        for target in targets:
            event = _event(rule, target, now)
            service = target["Arn"].split(":")[2]
            if event is None or service not in {"lambda", "sqs"}:
                _log.error(
                    "rule %s: target %s is not played (Lambda and SQS, with or without Input, are)",
                    rule["Name"],
                    target["Arn"],
                )
            elif service == "sqs":
                self._send(target["Arn"], event)
            else:
                self._start(_Event(target["Arn"], event, now, now))

    def _due(self, now: float) -> list[_Event]:
        """Take out the throttled events that are tried again now."""
        with self._lock:
            due = [event for event in self._throttled if event.due_at <= now]
            self._throttled = [event for event in self._throttled if event.due_at > now]
        return due

    def _start(self, event: _Event) -> None:
        threading.Thread(
            target=self._invoke, args=(event,), name=f"schedule {event.arn}", daemon=True
        ).start()

    def _invoke(self, event: _Event) -> None:
        try:
            answer = self._functions.invoke(event.arn, event.body)
        except ServiceError as error:
            if error.code == "TooManyRequestsException":
                self._try_later(event)
            else:
                _log.error("schedule could not invoke %s: %s", event.arn, error)
        except Exception:
            _log.exception("schedule could not invoke %s", event.arn)
        else:
            if answer.error:
                _log.error("%s failed: %s: %s", event.arn, answer.error, answer.payload)

    def _try_later(self, event: _Event) -> None:
        due_at = event.due_at + event.wait_s
        if due_at > event.born_at + self._oldest_s(event.arn):
            _log.error("%s: an event was throttled until it was too old", event.arn)
            return
        wait_s = min(2 * event.wait_s, _LONGEST_WAIT_S)
        with self._lock:
            self._throttled.append(replace(event, due_at=due_at, wait_s=wait_s))

    def _oldest_s(self, arn: str) -> float:
        functions = self._clients.client("lambda")
        try:
            found = functions.get_function_event_invoke_config(FunctionName=arn)
        except functions.exceptions.ResourceNotFoundException:
            return _OLDEST_S
        return float(found.get("MaximumEventAgeInSeconds", _OLDEST_S))

    def _send(self, arn: str, event: Any) -> None:
        sqs = self._clients.client("sqs")
        url = sqs.get_queue_url(QueueName=arn.rsplit(":", 1)[-1])["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event))


def _next(watched: _Watched, now: float) -> float:
    if isinstance(watched.schedule, Rate):
        period_s = watched.schedule.period_s
        return watched.due_at + ((now - watched.due_at) // period_s + 1) * period_s
    return (now // 60 + 1) * 60


def _event(rule: dict[str, Any], target: dict[str, Any], now: float) -> Any:
    """Return what a target gets, None when the target reshapes its input."""
    if "Input" in target:
        return json.loads(target["Input"])
    if "InputPath" in target or "InputTransformer" in target:
        return None
    _, _, _, region, account, _ = rule["Arn"].split(":", 5)
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": account,
        "time": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [rule["Arn"]],
        "detail": {},
    }
