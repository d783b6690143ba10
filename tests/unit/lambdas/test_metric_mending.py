"""Failed boots and zombies against the embedded AWS: what the function remembers and does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from config.contracts import metrics as names
from local.server import EmbeddedAws
from tests.unit.lambdas.metric_estate import Estate, embedded
from tests.unit.lambdas.metric_rules import boot, fact, worker
from tests.unit.lambdas.test_metric_function import DOWN, Recorded, by_state


@pytest.fixture(scope="module")
def aws() -> EmbeddedAws:
    return embedded()


@pytest.fixture
def estate(aws: EmbeddedAws) -> Estate:
    return Estate(aws)


def fail_boots(estate: Estate) -> int:
    """Let every instance that is there fail to boot; return how many."""
    estate.wait(1)
    failed = estate.instances()
    for each in failed:
        estate.record(each, failed=True)
        estate.clients.autoscaling.terminate_instance_in_auto_scaling_group(
            InstanceId=each, ShouldDecrementDesiredCapacity=True
        )
    return len(failed)


def alarm(estate: Estate) -> dict[str, Any]:
    found = estate.clients.cloudwatch.describe_alarms(AlarmNames=[estate.rules.breaker_alarm])
    return dict(found["MetricAlarms"][0])


def test_boots_that_all_fail_stop_at_the_limit_alarm_with_the_reason_and_are_probed(
    estate: Estate,
) -> None:
    boots = 0
    for _ in range(10):
        lines = estate.look(fact(1))
        boots += fail_boots(estate)
    assert boots == 3
    assert estate.desired() == 0
    assert lines[0][names.BREAKER_OPEN] == 1
    assert alarm(estate)["StateValue"] == "ALARM"
    assert "failed to boot at pull: manifest unknown" in alarm(estate)["StateReason"]

    estate.look(fact(1), after_s=300)
    estate.look(fact(1))
    assert fail_boots(estate) == 1, "one probe"
    estate.look(fact(1))
    assert fail_boots(estate) == 0

    estate.look(fact(5), after_s=300)
    estate.wait(1)
    [probe] = estate.instances()
    estate.record(probe, failed=False)
    estate.look(fact(5, workers=(worker(probe),)), after_s=60)
    assert estate.desired() == 5, "one that boots closes the breaker"


def test_a_probe_that_boots_slowly_is_not_joined_by_another(estate: Estate) -> None:
    for _ in range(3):
        estate.look(fact(3))
        fail_boots(estate)
    estate.look(fact(3))
    assert estate.desired() == 0
    for _ in range(20):
        estate.look(fact(3), after_s=25)
    assert estate.desired() == 1


def test_records_are_read_about_once_a_minute_or_when_a_booting_instance_vanishes(
    estate: Estate,
) -> None:
    logs = Recorded(estate.clients.logs)
    looks = estate.fresh(logs=logs)
    for _ in range(6):
        estate.look(fact(1), by=looks)
    assert len(logs.calls) == 1
    estate.look(fact(1), by=looks)
    assert len(logs.calls) == 2
    fail_boots(estate)
    estate.look(fact(1), by=looks)
    assert len(logs.calls) == 3
    [first, second, _] = logs.named("filter_log_events")
    assert second["startTime"] > first["startTime"], "what was read is not read again"


def test_pages_are_read_to_their_end_and_a_failing_one_keeps_what_came_before(
    estate: Estate,
) -> None:
    def event(index: int) -> dict[str, Any]:
        end = boot(estate.clock.now() - 100 + index, failed=True, instance_id=f"i-{index}")
        record = {
            "event": "boot",
            "outcome": "failed",
            "instance": end.record.instance_id,
            "BootSeconds": 1,
        }
        return {"timestamp": int(end.at_s * 1000), "message": json.dumps(record)}

    class Paged:
        def __init__(self) -> None:
            self.pages: list[Any] = [
                {"events": [event(0), {"timestamp": 1, "message": "no JSON"}], "nextToken": "a"},
                {"events": [], "nextToken": "b"},
                DOWN,
                {"events": [event(1)], "nextToken": "c"},
                {"events": [event(2)]},
            ]
            self.asked: list[dict[str, Any]] = []

        def filter_log_events(self, **params: Any) -> Any:
            self.asked.append(params)
            page = self.pages.pop(0)
            if isinstance(page, Exception):
                raise page
            return page

    logs = Paged()
    looks = estate.fresh(logs=logs)
    [line] = estate.look(fact(1), by=looks)
    assert line[names.BREAKER_OPEN] == 0
    lines = estate.look(fact(1), by=looks, after_s=60)
    assert lines[0][names.BREAKER_OPEN] == 1
    assert [each.get("nextToken") for each in logs.asked] == [None, "a", "b", None, "c"]
    assert all(each["logStreamNamePrefix"] == "boot/" for each in logs.asked)


def test_unreadable_records_are_the_last_known_then_no_breaker(estate: Estate) -> None:
    logs = Recorded(estate.clients.logs)
    looks = estate.fresh(logs=logs)
    for _ in range(4):
        estate.look(fact(1), by=looks)
        fail_boots(estate)
    logs._failing["filter_log_events"] = DOWN
    estate.look(fact(2), by=looks)
    assert estate.desired() == 0
    estate.look(fact(2), by=looks, after_s=24 * 3600)
    assert estate.desired() == 2


def served(estate: Estate, jobs: int) -> list[str]:
    """Return the instances of a fleet for so many jobs, in service past the boot's limit."""
    estate.look(fact(jobs))
    estate.wait(1)
    found = estate.instances()
    estate.look(fact(0, workers=tuple(map(worker, found))))
    estate.look(fact(0, workers=tuple(map(worker, found))), after_s=601)
    return found


def test_a_silent_idle_worker_is_looked_at_again_and_then_replaced(estate: Estate) -> None:
    [only] = served(estate, 1)
    silent = (worker(only, silent_s=61),)
    assert by_state(estate.look(fact(0, workers=silent))) == {"zombie": 1, "idle": 0}
    for _ in range(5):
        estate.look(fact(0, workers=silent))
    assert estate.instances() == [only]
    estate.look(fact(0, workers=silent))
    assert only not in estate.instances()
    estate.wait(1)
    assert len(estate.instances()) == estate.desired() == 1, "its place stays"


def test_one_zombie_is_ended_in_five_minutes_and_the_others_are_made_up_for(
    estate: Estate,
) -> None:
    found = served(estate, 3)
    silent = tuple(worker(each, silent_s=100) for each in found)
    for _ in range(8):
        estate.look(fact(1, workers=silent))
    estate.wait(1)
    assert len(set(found) & set(estate.instances())) == 2
    for _ in range(4):
        estate.look(fact(1, workers=silent), after_s=70)
    assert len(set(found) & set(estate.instances())) == 2
    for _ in range(2):
        estate.look(fact(1, workers=silent))
    assert len(set(found) & set(estate.instances())) == 1


def test_a_silent_worker_with_a_job_is_left_alone(estate: Estate) -> None:
    [only] = served(estate, 1)
    busy = (worker(only, "busy", leases=1, silent_s=9999),)
    for _ in range(20):
        estate.look(fact(0, 1, workers=busy))
    assert estate.instances() == [only]


def test_no_answer_of_the_api_is_no_judgement_and_the_marks_are_forgotten(
    estate: Estate,
) -> None:
    [only] = served(estate, 1)
    silent = (worker(only, silent_s=100),)
    for _ in range(3):
        for _ in range(6):
            estate.look(fact(0, workers=silent))
        assert not any("State" in line for line in estate.look(None))
    assert estate.instances() == [only]


def test_a_worker_that_is_heard_again_lives_though_the_group_is_not_described(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    [only] = served(estate, 1)
    for _ in range(6):
        estate.look(fact(0, workers=(worker(only, silent_s=100),)))
    client, name = estate.clients.autoscaling, "describe_auto_scaling_groups"
    monkeypatch.setattr(client, name, getattr(Recorded(client, **{name: DOWN}), name))
    estate.look(fact(0, 1, workers=(worker(only, "busy", leases=1),)))
    monkeypatch.undo()
    assert estate.instances() == [only]


def test_a_new_container_judges_later(estate: Estate) -> None:
    [only] = served(estate, 1)
    silent = (worker(only, silent_s=100),)
    for _ in range(4):
        fresh = estate.fresh()
        for _ in range(4):
            estate.look(fact(0, workers=silent), by=fresh, after_s=100)
    assert estate.instances() == [only]


def test_zombies_that_never_booted_open_the_breaker_too(aws: EmbeddedAws) -> None:
    estate = Estate(aws, failed_boots=1, probe_every_s=900)
    estate.look(fact(1))
    for _ in range(24):
        estate.look(fact(1), after_s=30)
    estate.wait(1)
    [second] = estate.instances()
    lines = estate.look(fact(1))
    assert lines[0][names.BREAKER_OPEN] == 1
    assert "neither a boot record nor a sign of life" in alarm(estate)["StateReason"]
    assert estate.desired() == 1, "the one that the group put in its place is the probe"
    for _ in range(27):
        estate.look(fact(1), after_s=30)
    assert estate.instances() == [second], "a broken fleet is probed each 900 s"
