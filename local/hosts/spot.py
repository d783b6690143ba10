"""Spot notices, given by hand: what an instance's metadata says, and the loss that follows.

    POST /_local/spot-notice {"instance_id": "i-...", "kind": "interruption", "within_s": 120}
    POST /_local/spot-notice {"instance_id": "i-...", "kind": "rebalance"}
    POST /_local/spot-notice {"kind": "rate", "per_hour": 6, "seed": 7}

An interruption really ends the instance when its time has come, whatever it does meanwhile. With a
rate each running Spot instance is announced by chance, so often an hour; 0 ends that.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
"""

from __future__ import annotations

import json
import math
import random
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from werkzeug.wrappers import Request, Response

from local.clock import Clock

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PATH = "/_local/spot-notice"
KINDS = ("interruption", "rebalance", "rate")
#: What EC2 gives: two minutes.
NOTICE_S = 120


class ClientSource(Protocol):
    """Gives boto3 clients of the embedded AWS."""

    def client(self, service: str) -> Any:
        """Return the client of an AWS service."""


class SpotNotices:
    """Keeps notices, answers PATH, and ends instances whose time has come. Thread-safe."""

    def __init__(self, clients: ClientSource, clock: Clock) -> None:
        self._clients = clients
        self._clock = clock
        self._interruptions: dict[str, float] = {}
        self._recommendations: dict[str, float] = {}
        self._ended: set[str] = set()
        self._lock = threading.Lock()
        self.lose(0.0)

    def interrupt(self, instance_id: str, within_s: float = NOTICE_S) -> None:
        """Announce that an instance is taken back in `within_s` seconds."""
        with self._lock:
            self._interruptions[instance_id] = self._clock.now() + within_s

    def recommend(self, instance_id: str) -> None:
        """Recommend to leave an instance; EC2 may never take it back."""
        with self._lock:
            self._recommendations[instance_id] = self._clock.now()

    def lose(self, per_hour: float, seed: int = 0) -> None:
        """Announce each Spot instance `per_hour` times an hour on average from now on."""
        with self._lock:
            self._per_hour, self._drawn_at = per_hour, self._clock.now()
            self._random = random.Random(seed)  # noqa: S311 (nothing is to be secret)

    def metadata(self, instance_id: str) -> dict[str, Any]:
        """Return the parts of an instance's metadata that are there once it has a notice."""
        with self._lock:
            ends = self._interruptions.get(instance_id)
            recommended = self._recommendations.get(instance_id)
        found: dict[str, Any] = {}
        if ends is not None:
            action = json.dumps({"action": "terminate", "time": _iso(ends)})
            found["spot"] = {"instance-action": action, "termination-time": _iso(ends)}
        if recommended is not None:
            notice = json.dumps({"noticeTime": _iso(recommended)})
            found["events"] = {"recommendations": {"rebalance": notice}}
        return found

    def tick(self, now: float) -> None:
        """Announce by chance, and end the instances whose time has come, once each."""
        for instance_id in self._drawn(now):
            self.interrupt(instance_id)
        with self._lock:
            due = {one for one, ends in self._interruptions.items() if ends <= now} - self._ended
            self._ended |= due
        if due:
            self._clients.client("ec2").terminate_instances(InstanceIds=sorted(due))

    def _drawn(self, now: float) -> list[str]:
        """Return the Spot instances that are taken back by chance since the last drawing."""
        if not self._per_hour:
            return []
        found = self._clients.client("ec2").describe_instances()["Reservations"]
        running = [
            each["InstanceId"]
            for reservation in found
            for each in reservation["Instances"]
            if each.get("InstanceLifecycle") == "spot" and each["State"]["Name"] == "running"
        ]
        with self._lock:
            chance = 1 - math.exp(-self._per_hour * (now - self._drawn_at) / 3600)
            self._drawn_at = now
            whole = [each for each in running if each not in self._interruptions]
            return [each for each in whole if self._random.random() < chance]

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Take one notice."""
        return self._answer(Request(environ))(environ, start)

    def _answer(self, request: Request) -> Response:
        wanted = request.get_json(force=True, silent=True) if request.method == "POST" else None
        if not isinstance(wanted, dict) or wanted.get("kind") not in KINDS:
            return Response(f'Expected {{"instance_id": "i-...", "kind": one of {KINDS}}}', 400)
        if wanted["kind"] == "rate":
            self.lose(float(wanted.get("per_hour", 0)), int(wanted.get("seed", 0)))
            return Response(json.dumps(wanted), content_type="application/json")
        instance_id = str(wanted.get("instance_id"))
        if wanted["kind"] == "rebalance":
            self.recommend(instance_id)
        else:
            self.interrupt(instance_id, float(wanted.get("within_s", NOTICE_S)))
        return Response(json.dumps(self.metadata(instance_id)), content_type="application/json")


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
