"""The arithmetic of Buildkite's scaler and of KEDA with the Kubernetes autoscaler."""

from __future__ import annotations

import pytest

from ops.simulate.peers.buildkite import Buildkite
from ops.simulate.peers.keda import Keda, KedaJobs, replicas
from tests.unit.ops.simulate.peer_views import answers, view


@pytest.mark.parametrize(
    ("agents", "factor", "jobs", "desired", "wanted"),
    [
        (1, 1.0, (0, 0), 0, None),
        (1, 1.0, (1, 0), 0, 1),
        # As the project's own scaler/scaler_test.go has it: 10 scheduled and 2 running.
        (1, 1.0, (10, 2), 2, 12),
        (2, 1.0, (10, 2), 0, 6),
        (4, 1.0, (10, 2), 0, 3),
        (5, 1.0, (10, 2), 0, 3),
        (20, 1.0, (10, 2), 0, 1),
        (1, 1.0, (2, 10), 12, None),
        (1, 1.0, (0, 3), 12, None),
        (4, 1.0, (9, 0), 0, 3),
        (4, 1.0, (8, 0), 0, 2),
        (1, 0.5, (5, 0), 0, 3),
        (1, 0.5, (1, 0), 0, 1),
        (1, 2.0, (5, 5), 5, 15),
        (1, 2.0, (90, 0), 5, 100),
        (1, 1.0, (500, 0), 0, 100),
        (1, 1.0, (500, 0), 100, None),
    ],
)
def test_buildkite_adds_an_agent_for_each_job_by_its_factor(
    agents: int, factor: float, jobs: tuple[int, int], desired: int, wanted: int | None
) -> None:
    waiting, running = jobs
    policy = Buildkite("buildkite", agents_per_instance=agents, scale_out_factor=factor)
    assert policy.decide(view(waiting=waiting, running=running, desired=desired)) == wanted


def test_buildkite_leaves_the_way_in_to_idle_instances() -> None:
    policy = Buildkite("buildkite", agents_per_instance=1)
    assert (policy.idle_s, policy.protected) == (600, True)


@pytest.mark.parametrize(
    ("messages", "queue_length", "current", "wanted"),
    [
        # https://keda.sh/docs/latest/scalers/aws-sqs/: 30 messages at 10 each make 3 pods.
        (30, 10, 1, 3),
        # As Kubernetes' pkg/controller/podautoscaler/horizontal_test.go has it, in thousandths.
        (8600, 2222, 3, 4),
        (8600, 3000, 5, 3),
        (0, 5, 3, 0),
        (1, 5, 1, 1),
        (5, 5, 1, 1),
        (6, 5, 1, 2),
        # Off by a tenth is near enough.
        (110, 10, 10, 10),
        (111, 10, 10, 12),
        (90, 10, 10, 10),
        (89, 10, 10, 9),
    ],
)
def test_the_autoscaler_wants_an_average_queue(
    messages: int, queue_length: int, current: int, wanted: int
) -> None:
    assert replicas(messages, queue_length, current) == wanted


def test_keda_wakes_one_replica_for_any_number_of_messages() -> None:
    assert Keda("keda").decide(view(0, waiting=1)) == 1
    assert Keda("keda").decide(view(0, waiting=500)) == 1


def test_keda_looks_at_an_empty_deployment_each_thirty_seconds() -> None:
    assert answers(Keda("keda"), [0, 1, 1]) == [None, None, 1]


@pytest.mark.parametrize(
    ("desired", "waiting", "wanted"),
    [(1, 1000, 5), (4, 1000, 8), (10, 1000, 20), (80, 1000, 100), (1, 10, 2)],
)
def test_a_sync_adds_four_pods_or_as_many_again(desired: int, waiting: int, wanted: int) -> None:
    assert Keda("keda").decide(view(0, waiting=waiting, desired=desired)) == wanted


def test_a_smaller_number_waits_for_the_stabilization_window() -> None:
    policy = Keda("keda")
    assert policy.decide(view(0, waiting=50, desired=10)) is None
    shown = [policy.decide(view(15.0 * at, waiting=10, desired=10)) for at in range(1, 22)]
    assert shown == [None] * 20 + [2]


def test_jobs_in_flight_hold_replicas_but_only_a_fifth_of_them_by_default() -> None:
    assert set(answers(Keda("keda"), [0] * 40, desired=2, running=10)) == {None}
    found = answers(Keda("keda"), [0] * 22, desired=10, running=10)
    assert found == [None] * 21 + [2]


def test_the_last_replica_goes_after_the_cooldown() -> None:
    policy = Keda("keda", queue_length=1)
    assert policy.decide(view(0, waiting=1)) == 1
    found = [policy.decide(view(15.0 * at, desired=1)) for at in range(1, 23)]
    # 300 s after the last message is not yet longer than 300 s; the next poll is.
    assert found == [None] * 21 + [0]


@pytest.mark.parametrize(
    ("waiting", "running", "desired", "wanted"),
    [(0, 0, 0, None), (1, 0, 0, 1), (3, 2, 2, 5), (0, 4, 5, None), (500, 0, 3, 100)],
)
def test_keda_starts_a_job_for_each_message_and_takes_none_away(
    waiting: int, running: int, desired: int, wanted: int | None
) -> None:
    policy = KedaJobs("jobs", queue_length=1)
    assert policy.decide(view(waiting=waiting, running=running, desired=desired)) == wanted
