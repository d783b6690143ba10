"""From looks at the line to moments, and from moments to the seconds of each hop."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ops.facts import BacklogFact, FleetFacts
from ops.timeline import HOPS, Moments, Snapshot, hops, observe, total_s

T0 = 1_800_000_000.0


def iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat()


def moments() -> Moments:
    return Moments(T0, desired_before=0, instances_before=frozenset({"i-old"}), uploaded=T0 + 2)


def fleet(desired: int, **instances: str) -> FleetFacts:
    named = {name.replace("_", "-"): state for name, state in instances.items()}
    return FleetFacts("g", desired, 0, 3, named)


def seen(at_s: float, **facts: Any) -> Snapshot:
    return Snapshot(
        at_s,
        facts.get("progress"),
        None,
        facts.get("backlog"),
        facts.get("fleet"),
    )


def test_a_lecture_that_wakes_a_sleeping_fleet_is_timed_hop_by_hop() -> None:
    found = moments()
    sent = {"status": "UPLOADED", "sent_at": iso(T0 + 3)}
    running = {**sent, "status": "PROCESSING", "started_at": iso(T0 + 20)}
    done = {**running, "status": "READY", "finished_at": iso(T0 + 50)}
    for look in (
        seen(T0 + 4, progress=sent, backlog=BacklogFact(T0 - 50, 1), fleet=fleet(0)),
        seen(T0 + 8, progress=sent, backlog=BacklogFact(T0 + 7, 1), fleet=fleet(0)),
        seen(T0 + 9, progress=sent, fleet=fleet(1, i_new="Pending")),
        seen(T0 + 12, progress=sent, fleet=fleet(1, i_new="InService")),
        seen(T0 + 21, progress=running, fleet=fleet(1, i_new="InService")),
        seen(T0 + 51, progress=done, fleet=fleet(1, i_new="InService")),
        seen(T0 + 70, progress=done, fleet=fleet(0, i_new="Terminating:Wait")),
        seen(T0 + 80, progress=done, fleet=fleet(0)),
    ):
        found = observe(found, look)

    assert [hop.seconds for hop in hops(found)] == [2, 1, 4, 2, 3, 8, 30, 1, 29]
    assert total_s(found) == 80


def test_a_backlog_published_before_the_message_was_sent_does_not_count() -> None:
    look = seen(T0 + 9, progress={"sent_at": iso(T0 + 5)}, backlog=BacklogFact(T0 + 4, 3))
    assert observe(moments(), look).published is None


def test_a_published_zero_is_no_sight_of_the_backlog() -> None:
    look = seen(T0 + 9, progress={"sent_at": iso(T0 + 5)}, backlog=BacklogFact(T0 + 8, 0))
    assert observe(moments(), look).published is None


def test_an_instance_that_was_there_before_is_not_started() -> None:
    look = seen(T0 + 9, fleet=fleet(0, i_old="InService"))
    assert observe(moments(), look).started is None


def test_the_fleet_is_not_at_rest_before_the_job_has_ended() -> None:
    assert observe(moments(), seen(T0 + 1, fleet=fleet(0))).at_rest is None


def test_a_look_that_saw_nothing_changes_nothing() -> None:
    assert observe(moments(), seen(T0 + 9)) == moments()


def test_a_hop_that_was_not_needed_is_unseen_and_costs_nothing() -> None:
    found = replace(moments(), sent=T0 + 3, claimed=T0 + 4, encoded=T0 + 9, ended=T0 + 10)
    seconds = {hop.name: hop.seconds for hop in hops(found)}
    assert seconds["desired capacity raised"] is None
    assert seconds["worker claimed the job"] == 1
    assert total_s(found) == 10


times = st.none() | st.floats(min_value=T0 - 10, max_value=T0 + 1000)


@given(st.lists(times, min_size=len(HOPS), max_size=len(HOPS)))
def test_no_hop_is_negative_and_all_add_up(at: list[float | None]) -> None:
    found = Moments(T0, 0, frozenset(), *at)
    seconds = [hop.seconds for hop in hops(found) if hop.seconds is not None]
    assert all(value >= 0 for value in seconds)
    last = max([T0, *(each for each in at if each is not None)])
    assert abs(total_s(found) - (last - T0)) < 1e-3


@given(times, times)
def test_a_moment_once_seen_stays(first: float | None, second: float | None) -> None:
    found = moments()
    for at in (first, second):
        if at is not None:
            found = observe(found, seen(T0, progress={"started_at": iso(at)}))
    expected = first if first is not None else second
    assert (found.claimed is None) == (expected is None)
    if expected is not None and found.claimed is not None:
        assert abs(found.claimed - expected) < 1e-3
