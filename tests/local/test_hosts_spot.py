"""Spot notices: the metadata says them as EC2 does, and an interruption is no empty threat."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.test import Client

from local.clock import ManualClock
from local.hosts.imds import PREFIX, Imds
from local.hosts.spot import PATH, SpotNotices

INSTANCE = {
    "InstanceId": "i-1",
    "ImageId": "ami-1",
    "InstanceType": "c7g.xlarge",
    "LaunchTime": datetime(2026, 1, 1, tzinfo=UTC),
    "Placement": {"AvailabilityZone": "ap-northeast-2a"},
}


class Ec2:
    """One instance, or those that a test gives it, and what was ended."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.instances: list[dict[str, Any]] = [INSTANCE]

    def client(self, service: str) -> Ec2:
        return self

    def describe_instances(self, **_: object) -> dict[str, Any]:
        return {"Reservations": [{"Instances": self.instances}]}

    def terminate_instances(self, **given: list[str]) -> None:
        self.ended += given["InstanceIds"]


@pytest.fixture
def ec2() -> Ec2:
    return Ec2()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def spot(ec2: Ec2, clock: ManualClock) -> SpotNotices:
    return SpotNotices(ec2, clock)


def read(ec2: Ec2, clock: ManualClock, spot: SpotNotices, path: str) -> tuple[int, str]:
    """Ask the metadata service as a worker does."""
    service = Client(Imds(ec2, "ap-northeast-2", clock, spot))
    base = f"{PREFIX}i-1/latest"
    ttl = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
    token = service.put(f"{base}/api/token", headers=ttl).text
    answer = service.get(f"{base}/meta-data/{path}", headers={"X-aws-ec2-metadata-token": token})
    return answer.status_code, answer.text


def test_nothing_is_there_without_a_notice(ec2: Ec2, clock: ManualClock, spot: SpotNotices) -> None:
    for path in ("spot/instance-action", "events/recommendations/rebalance"):
        assert read(ec2, clock, spot, path)[0] == 404


def test_an_interruption_is_announced_and_then_comes_once(
    ec2: Ec2, clock: ManualClock, spot: SpotNotices
) -> None:
    clock.advance(1_000_000)
    given = Client(spot).post(PATH, json={"instance_id": "i-1", "kind": "interruption"})
    assert given.status_code == 200
    status, text = read(ec2, clock, spot, "spot/instance-action")
    assert (status, json.loads(text)["action"]) == (200, "terminate")
    spot.tick(clock.now() + 119)
    assert ec2.ended == []
    spot.tick(clock.now() + 120)
    spot.tick(clock.now() + 121)
    assert ec2.ended == ["i-1"]


def test_a_recommendation_ends_nothing(ec2: Ec2, clock: ManualClock, spot: SpotNotices) -> None:
    Client(spot).post(PATH, json={"instance_id": "i-1", "kind": "rebalance"})
    status, text = read(ec2, clock, spot, "events/recommendations/rebalance")
    assert (status, list(json.loads(text))) == (200, ["noticeTime"])
    assert read(ec2, clock, spot, "spot/instance-action")[0] == 404
    spot.tick(clock.now() + 1_000_000)
    assert ec2.ended == []


def launched(number: int, lifecycle: str) -> dict[str, Any]:
    one = {**INSTANCE, "InstanceId": f"i-{number}", "State": {"Name": "running"}}
    return {**one, "InstanceLifecycle": lifecycle} if lifecycle else one


def test_at_a_rate_spot_instances_alone_are_lost_and_as_often_as_said(
    ec2: Ec2, clock: ManualClock, spot: SpotNotices
) -> None:
    ec2.instances = [launched(n, "spot") for n in range(500)] + [launched(500, "")]
    given = Client(spot).post(PATH, json={"kind": "rate", "per_hour": 1, "seed": 3})
    assert given.status_code == 200
    for _ in range(60):
        clock.advance(30)
        spot.tick(clock.now())
    announced = [n for n in range(501) if spot.metadata(f"i-{n}")]
    expected = 500 * (1 - math.exp(-0.5))
    assert abs(len(announced) - expected) < 40
    assert 500 not in announced
    assert 0 < len(ec2.ended) < len(announced), "each has its two minutes"
    Client(spot).post(PATH, json={"kind": "rate", "per_hour": 0})
    clock.advance(36_000)
    spot.tick(clock.now())
    assert len(ec2.ended) == len(announced) == len(set(ec2.ended))


@pytest.mark.parametrize("body", [[], {}, {"instance_id": "i-1", "kind": "reclaim"}])
def test_an_unknown_notice_is_refused(spot: SpotNotices, body: object) -> None:
    assert Client(spot).post(PATH, json=body).status_code == 400
    assert Client(spot).get(PATH).status_code == 400
