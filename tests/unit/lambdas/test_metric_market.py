"""Spot or on demand: what follows from announced losses."""

from __future__ import annotations

import pytest

from lambdas.queue_depth_metric.market import on_demand_percent
from tests.unit.lambdas.metric_rules import rules


@pytest.mark.parametrize(
    ("spot_percent", "losses", "current", "expected"),
    [
        (100, 0, 0, None),
        (100, 2, 0, None),
        (100, 3, 0, 100),
        (100, 9, 100, None),
        (100, 2, 100, 0),  # fewer lie within the time: back to Spot
        (100, 0, 40, 0),  # a deploy or a person set it
        (70, 0, 30, None),
        (70, 3, 30, 100),
        (70, 0, 100, 30),
        (100, None, 0, None),  # nobody knows of losses
        (100, None, 100, None),
        (100, 9, None, None),  # the group mixes nothing
        (0, 9, 100, None),
        (0, 9, 50, None),
    ],
)
def test_losses_decide_what_is_bought(
    spot_percent: int, losses: int | None, current: int | None, expected: int | None
) -> None:
    told = rules(spot_percent=spot_percent, spot_losses=3)
    assert on_demand_percent(told, spot_losses=losses, current=current) == expected


def test_what_was_set_is_not_set_again() -> None:
    told = rules(spot_percent=80)
    for losses in range(6):
        percent = on_demand_percent(told, spot_losses=losses, current=50)
        assert percent is not None
        assert on_demand_percent(told, spot_losses=losses, current=percent) is None


def test_no_number_of_losses_means_never() -> None:
    assert on_demand_percent(rules(spot_losses=0), spot_losses=9, current=0) is None
