"""One fleet's look against the embedded AWS: what is measured, published and done."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from config.contracts import metrics as names
from config.contracts.metrics import PUBLISHED_LINE, VIDEO_NAMESPACE, WORKERS_NAMESPACE
from local.server import EmbeddedAws
from tests.unit.lambdas.metric_estate import ENVIRONMENT, Estate, embedded
from tests.unit.lambdas.metric_rules import fact, worker

Dimensions = tuple[tuple[str, str], ...]


@pytest.fixture(scope="module")
def aws() -> EmbeddedAws:
    return embedded()


@pytest.fixture
def estate(aws: EmbeddedAws) -> Estate:
    return Estate(aws)


class Recorded:
    """A client of AWS that remembers what was called, and fails where it is told to."""

    def __init__(self, client: Any, **failing: Exception) -> None:
        self._client = client
        self._failing = failing
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**params: Any) -> Any:
            self.calls.append((name, params))
            if name in self._failing:
                raise self._failing[name]
            return getattr(self._client, name)(**params)

        return call

    def named(self, name: str) -> list[dict[str, Any]]:
        return [params for called, params in self.calls if called == name]


DOWN = EndpointConnectionError(endpoint_url="aws")
REFUSED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "Any")


def sent(cloudwatch: Recorded) -> dict[tuple[str, Dimensions], float]:
    """Return the last value of each metric sent by PutMetricData."""
    return {
        (
            params["Namespace"],
            tuple(sorted((d["Name"], d["Value"]) for d in datum["Dimensions"])),
        ): (datum["Value"])
        for params in cloudwatch.named("put_metric_data")
        for datum in params["MetricData"]
    }


def _dimensions(datum: dict[str, Any]) -> Dimensions:
    return tuple(sorted((each["Name"], each["Value"]) for each in datum["Dimensions"]))


def by_state(lines: list[dict[str, Any]]) -> dict[str, float]:
    return {line["State"]: line[names.CAPACITY] for line in lines if "State" in line}


def test_the_apis_count_is_published_under_both_dimension_sets_and_sizes_the_fleet(
    estate: Estate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    cloudwatch = Recorded(estate.clients.cloudwatch)
    estate.look(fact(2, 1), by=estate.fresh(cloudwatch=cloudwatch))

    expected = {
        (VIDEO_NAMESPACE, tuple(sorted(each.items()))): 3.0
        for each in names.backlog_dimension_sets(ENVIRONMENT)
    }
    assert sent(cloudwatch) == {
        **expected,
        (WORKERS_NAMESPACE, (("WorkerType", "Video"),)): 0.0,
    }
    assert estate.desired() == 3
    assert PUBLISHED_LINE.format(backlog=3) in caplog.messages
    [raised] = [line for line in caplog.messages if line.startswith("capacity raised")]
    for field in ("from=0", "to=3", "waiting=2", "running=1", f"group={estate.rules.group}"):
        assert field in raised


def test_messages_count_when_the_api_does_not_answer(estate: Estate) -> None:
    estate.send(2)
    estate.clients.sqs.receive_message(QueueUrl=estate.queue)
    cloudwatch = Recorded(estate.clients.cloudwatch)

    [line] = estate.look(None, by=estate.fresh(cloudwatch=cloudwatch))

    assert set(sent(cloudwatch).values()) == {2.0}
    assert estate.desired() == 2
    assert (line[names.WAITING], line[names.RUNNING]) == (1, 1)
    assert names.OLDEST_JOB_S not in line


def test_a_message_without_a_waiting_job_brings_one_worker(estate: Estate) -> None:
    estate.send(3)
    estate.look(fact(0, 0))
    assert estate.desired() == 1


def test_beside_running_jobs_a_lone_message_counts_once_sqs_has_settled(estate: Estate) -> None:
    """A message that was just received is counted as visible for up to a minute."""
    estate.look(fact(1))
    estate.send(1)
    for _ in range(6):
        estate.look(fact(0, 1))
    assert estate.desired() == 1
    estate.look(fact(1, 1))
    assert estate.desired() == 2
    for _ in range(6):
        estate.look(fact(0, 2))
    assert estate.desired() == 2
    estate.look(fact(0, 2))
    assert estate.desired() == 3


def test_both_sources_down_hold_the_fleet_and_publish_nothing_unknown(
    estate: Estate, caplog: pytest.LogCaptureFixture
) -> None:
    estate.look(fact(2))
    sqs = Recorded(estate.clients.sqs, get_queue_url=DOWN, get_queue_attributes=DOWN)
    cloudwatch = Recorded(estate.clients.cloudwatch)
    autoscaling = Recorded(estate.clients.autoscaling)
    blind = estate.fresh(sqs=sqs, cloudwatch=cloudwatch, autoscaling=autoscaling)

    for _ in range(3):
        lines = estate.look(None, by=blind)

    assert cloudwatch.calls == []
    assert {name for name, _ in autoscaling.calls} == {"describe_auto_scaling_groups"}
    assert estate.desired() == 2
    assert not any(names.WAITING in line or "State" in line for line in lines)
    assert any("no backlog from any source" in line for line in caplog.messages)


@pytest.mark.parametrize("error", [DOWN, REFUSED])
def test_a_fleet_is_raised_while_metrics_and_logs_are_refused(
    estate: Estate, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    refusing = estate.fresh(
        cloudwatch=Recorded(None, put_metric_data=error),
        logs=Recorded(None, filter_log_events=error),
    )
    estate.look(fact(2), by=refusing)

    assert estate.desired() == 2
    errors = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    assert any("metrics not published" in line and estate.rules.group in line for line in errors)
    assert any("boot records not read" in line for line in errors)
    assert PUBLISHED_LINE.format(backlog=2) not in caplog.messages


def test_the_backlog_is_published_while_the_group_cannot_be_described(estate: Estate) -> None:
    cloudwatch = Recorded(estate.clients.cloudwatch)
    down = Recorded(None, describe_auto_scaling_groups=DOWN)
    estate.look(fact(2), by=estate.fresh(cloudwatch=cloudwatch, autoscaling=down))
    assert set(sent(cloudwatch).values()) == {2.0, 0.0}


def test_a_smaller_backlog_leaves_the_capacity(estate: Estate) -> None:
    estate.look(fact(3))
    estate.look(fact(0))
    assert estate.desired() == 3


def test_a_backlog_above_the_maximum_fills_the_fleet(estate: Estate) -> None:
    estate.look(fact(100))
    assert estate.desired() == 5


def test_a_fleet_at_rest_sends_what_silence_alarms_watch_and_nothing_else(estate: Estate) -> None:
    cloudwatch, logs = Recorded(estate.clients.cloudwatch), Recorded(estate.clients.logs)
    lines = estate.look(fact(0), by=estate.fresh(cloudwatch=cloudwatch, logs=logs))
    assert lines == []
    assert logs.calls == []
    assert set(sent(cloudwatch).values()) == {0.0}


def test_a_fleets_own_numbers_are_one_line_and_one_for_each_state(estate: Estate) -> None:
    estate.look(fact(3))
    estate.wait(1)
    idle, busy, _ = estate.instances()
    workers = (worker(idle), worker(busy, "busy", leases=1))

    first, *_ = lines = estate.look(fact(1, 1, oldest_s=12.5, workers=workers), after_s=9)

    assert first["WorkerType"] == "Video"
    assert {key: first[key] for key in first if key not in ("_aws", "WorkerType")} == {
        names.WAITING: 1,
        names.RUNNING: 1,
        names.OLDEST_JOB_S: 12.5,
        names.TICK_AGE_S: 10.0,
        names.BREAKER_OPEN: 0.0,
    }
    [directive] = first["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == WORKERS_NAMESPACE
    assert directive["Dimensions"] == [["WorkerType"]]
    assert by_state(lines) == {"idle": 1, "busy": 1, "booting": 1}
    assert lines[1]["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["WorkerType", "State"]]


def test_a_state_that_emptied_is_told_once_more(estate: Estate) -> None:
    estate.look(fact(1))
    assert by_state(estate.look(fact(1))) == {"booting": 1}
    [only] = estate.instances()
    assert by_state(estate.look(fact(0, workers=(worker(only),)))) == {"booting": 0, "idle": 1}
    assert by_state(estate.look(fact(0, workers=(worker(only),)))) == {"idle": 1}


@pytest.mark.parametrize("state", ["draining", "leaving"])
def test_a_worker_that_takes_no_job_is_replaced_before_it_has_gone(
    estate: Estate, state: str
) -> None:
    estate.look(fact(1))
    estate.wait(1)
    [only] = estate.instances()
    leaving = worker(only, state, leases=1)
    assert by_state(estate.look(fact(0, 1, workers=(leaving,))))["draining"] == 1
    assert estate.desired() == 1, "its own job needs nobody else"
    estate.look(fact(1, 1, workers=(leaving,)))
    assert estate.desired() == 2


def test_an_overdue_job_gets_a_slot_of_its_own_once_no_worker_boots(aws: EmbeddedAws) -> None:
    estate = Estate(aws, slots=2, start_within_s=30, job_s=1)
    estate.look(fact(1))
    estate.wait(1)
    [only] = estate.instances()
    full = (worker(only, "busy", leases=2),)
    waiting = {"oldest_s": 500.0, "mean_job_s": 1.0}
    estate.look(fact(1, **waiting))
    for _ in range(3):
        estate.look(fact(1, 2, workers=full, **waiting))
    assert estate.desired() == 1, "it is 30 s since one booted"
    estate.look(fact(1, 2, workers=full, **waiting))
    assert estate.desired() == 2


def test_spot_losses_turn_the_group_to_on_demand_and_back_and_a_deploy_is_corrected(
    estate: Estate, caplog: pytest.LogCaptureFixture
) -> None:
    estate.look(fact(1, spot_losses=2))
    assert estate.on_demand_percent() == 0
    estate.look(fact(1, spot_losses=3))
    assert estate.on_demand_percent() == 100
    assert "market set" in caplog.text
    mix = estate.group()["MixedInstancesPolicy"]
    assert mix["InstancesDistribution"]["SpotAllocationStrategy"] == "price-capacity-optimized"
    assert len(mix["LaunchTemplate"]["Overrides"]) == 2
    estate.look(None)
    assert estate.on_demand_percent() == 100, "nobody knows of losses"

    mix["InstancesDistribution"]["OnDemandPercentageAboveBaseCapacity"] = 0
    estate.clients.autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=estate.rules.group, MixedInstancesPolicy=mix
    )
    estate.look(fact(1, spot_losses=3))
    assert estate.on_demand_percent() == 100
    estate.look(fact(0, spot_losses=0))
    assert estate.on_demand_percent() == 0
