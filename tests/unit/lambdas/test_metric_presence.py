"""What instances do, from what the group, the workers and the boots say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.contracts.fleet_facts import WorkerFact
from config.contracts.metrics import INSTANCE_STATES
from lambdas.queue_depth_metric import presence as module
from lambdas.queue_depth_metric.fleets import Group, Instance
from lambdas.queue_depth_metric.presence import Presence, presence
from lambdas.queue_depth_metric.sizing import Capacity
from tests.unit.lambdas.metric_rules import fact, rules, worker

OLD_S, NEW_S = 601.0, 10.0


def seen(
    *workers: WorkerFact,
    served_s: float = NEW_S,
    booted: tuple[str, ...] = (),
    ending: bool = False,
    unnamed: int = 0,
) -> Presence:
    """Return what the instance `i-1` does, in a group of its own."""
    group = Group(Capacity(1, 0, 9), (Instance("i-1", active=not ending),), None)
    known = fact(0, 0, workers=workers, unnamed=unnamed)
    return presence(group, known, rules(), served_s={"i-1": served_s}, booted=booted)


@pytest.mark.parametrize(
    ("workers", "served_s", "expected"),
    [
        ((), NEW_S, "booting"),
        ((worker("i-2"),), NEW_S, "booting"),
        ((), OLD_S, "zombie"),
        ((worker("i-1"),), NEW_S, "idle"),
        ((worker("i-1", "busy", leases=1),), OLD_S, "busy"),
        ((worker("i-1", "draining", leases=1),), OLD_S, "draining"),
        ((worker("i-1", "leaving"),), OLD_S, "draining"),
        ((worker("i-1", silent_s=61),), OLD_S, "zombie"),
        ((worker("i-1", "busy", leases=1, silent_s=9999),), OLD_S, "busy"),
    ],
)
def test_an_instance_is_in_one_state(
    workers: tuple[WorkerFact, ...], served_s: float, expected: str
) -> None:
    found = seen(*workers, served_s=served_s)
    assert found.states == {"i-1": expected}
    assert (found.silent == {"i-1"}) == (expected == "zombie")


def test_an_instance_that_ends_is_draining_and_no_part_of_the_capacity() -> None:
    found = seen(worker("i-1", "leaving", leases=1), ending=True)
    assert found.states == {"i-1": "draining"}
    assert (found.draining, found.draining_jobs) == (frozenset(), 0)


def test_what_drains_is_counted_with_the_jobs_that_it_holds() -> None:
    found = seen(worker("i-1", "draining", leases=2))
    assert (found.draining, found.draining_jobs) == ({"i-1"}, 2)


def test_the_jobs_of_a_worker_that_is_gone_are_nobodys_to_run_yet() -> None:
    gone = worker("i-2", "busy", leases=2, silent_s=61)
    assert seen(gone).draining_jobs == 2
    assert seen(gone, worker("i-1", "busy", leases=1)).draining_jobs == 2
    assert seen(replace(gone, silent_s=10)).draining_jobs == 0


def test_what_drains_and_falls_silent_drains_all_the_same() -> None:
    found = seen(worker("i-1", "draining", silent_s=61), served_s=OLD_S)
    assert found.states == {"i-1": "zombie"}
    assert found.draining == {"i-1"}


def test_who_has_signed_or_has_a_record_boots_no_more() -> None:
    assert seen().booting == {"i-1"}
    assert seen(booted=("i-1",)).booting == frozenset()
    assert seen(worker("i-1")).booting == frozenset()
    assert seen(served_s=OLD_S).booting == frozenset()


def test_an_instance_may_hold_the_job_whose_holder_nobody_knows() -> None:
    found = seen(served_s=OLD_S, unnamed=1)
    assert found.silent == frozenset()
    assert found.states == {"i-1": "booting"}


def test_without_the_api_nobody_is_judged() -> None:
    group = Group(Capacity(1, 0, 9), (Instance("i-1", active=True),), None)
    found = presence(group, None, rules(), served_s={"i-1": OLD_S}, booted=())
    assert found == Presence(None, None, frozenset(), frozenset(), 0)


def test_the_states_are_those_that_are_published() -> None:
    own = (module.BOOTING, module.IDLE, module.BUSY, module.DRAINING, module.ZOMBIE)
    assert own == INSTANCE_STATES
