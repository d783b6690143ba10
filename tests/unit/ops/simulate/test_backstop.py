"""The template's step policy, alone: it adds in steps, late, and never twice for one boot."""

from __future__ import annotations

from ops.simulate.dead_controller import Backstop as Alone
from ops.simulate.engine import simulate
from ops.simulate.fleet import Backstop, Weather
from ops.simulate.load import loaded
from tests.unit.ops.simulate.fleets import fleet
from tests.unit.ops.simulate.peer_views import answers

STEPS = Backstop(steps=((0, 1), (2, 2), (4, 4)), minutes=2, warm_up_s=150)
FLEET = fleet(backstop=STEPS)


def test_it_adds_the_step_after_two_minutes_with_a_job() -> None:
    assert answers(Alone(FLEET), [1, 1]) == [None, 1]
    assert answers(Alone(FLEET), [5, 5]) == [None, 4]
    assert answers(Alone(FLEET), [5, 0, 5]) == [None, None, None]


def test_what_warms_up_is_part_of_the_step() -> None:
    assert answers(Alone(FLEET), [2] * 5) == [None, 2, None, None, 2]
    assert answers(Alone(FLEET), [2, 2, 4]) == [None, 2, 2]


def test_it_stays_below_the_maximum_and_takes_nothing_away() -> None:
    assert answers(Alone(FLEET), [9, 9], desired=98) == [None, 100]
    assert answers(Alone(FLEET), [0] * 30, desired=5) == [None] * 30


def test_without_a_backstop_nothing_is_added() -> None:
    assert answers(Alone(fleet(backstop=None)), [9] * 5) == [None] * 5


def test_with_the_controller_dead_a_job_still_starts_within_minutes() -> None:
    weather = Weather(spot_losses_an_hour=0)
    result = simulate(loaded([(90, 600)]), FLEET, Alone(FLEET), seed=1, weather=weather)
    assert result.done == 1
    # Two datapoints, each a minute late, then the longest boot.
    assert 60 + 120 <= result.waits_s[0] <= 3 * 60 + 180
