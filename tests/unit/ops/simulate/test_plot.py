"""What a run's picture shows, read from its axes; and that it is written."""

from __future__ import annotations

import math
from array import array
from pathlib import Path

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from PIL import Image

from ops.simulate.plot import DOTS, Drawn, column_minutes, duration, figure, means, picture
from ops.simulate.result import Result, Sample

HOUR_S, DAY_S = 3600.0, 86400.0


def run(samples: list[Sample], waits: list[tuple[float, float]], *, title: str = "exact") -> Drawn:
    """Return a run whose jobs came and waited as given."""
    result = Result(title, samples=samples)
    result.arrivals_s = array("d", (at for at, _ in waits))
    result.waits_s = array("d", (wait for _, wait in waits))
    result.ended_s = samples[-1].at_s
    return Drawn(title, result)


def sample(minute: int, **counts: int) -> Sample:
    shown = {"waiting": 0, "running": 0, "alive": 0, "in_service": 0, "busy": 0, **counts}
    return Sample(at_s=60.0 * minute, **shown)


def short() -> list[Sample]:
    """Four minutes: a job waits for a boot, runs, and the instance is idle."""
    return [
        sample(0, waiting=1),
        sample(1, waiting=1, alive=1),
        sample(2, running=1, alive=1, in_service=1, busy=1),
        sample(3, alive=1, in_service=1),
    ]


def stacked(axes: Axes) -> dict[str, list[float]]:
    """Return the height of each layer of a stack in each column, by its label."""
    found = {}
    for area in axes.patches:
        assert isinstance(area, StepPatch)
        above, _, below = area.get_data()
        found[str(area.get_label())] = list(above - below)  # type: ignore[operator]
    return found


def rows(drawn: Figure) -> list[Axes]:
    return list(drawn.axes)


def test_backlog_capacity_and_waits_are_drawn_one_above_the_other() -> None:
    jobs, instances, waits = rows(figure([run(short(), [(30.0, 90.0)])]))

    assert stacked(jobs) == {"in flight": [0, 0, 1, 0], "waiting": [1, 1, 0, 0]}
    assert stacked(instances) == {
        "busy": [0, 0, 1, 0],
        "idle": [0, 0, 0, 1],
        "booting or leaving": [0, 1, 0, 0],
    }
    dots, p95, p99 = waits.get_lines()
    assert list(zip(*dots.get_data(), strict=True)) == [(30.0, 90.0)]
    assert [line.get_ydata()[0] for line in (p95, p99)] == [90.0, 90.0]  # type: ignore[index]
    assert [line.get_label() for line in (p95, p99)] == ["p95 1.5 min", "p99 1.5 min"]


def test_a_killed_worker_s_jobs_make_no_other_one_busy() -> None:
    killed = run([sample(0, running=5, alive=3, in_service=3, busy=1), sample(1)], [])
    found = stacked(rows(figure([killed]))[1])
    assert (found["busy"], found["idle"]) == ([1, 0], [2, 0])


def test_axes_say_what_they_measure_and_in_which_unit() -> None:
    week = [sample(minute) for minute in range(7 * 1440 + 1)]
    drawn = figure([run(week, [(0.0, 30.0)])])
    jobs, instances, waits = rows(drawn)
    assert jobs.get_ylabel() == "jobs, mean of 30 min"
    assert instances.get_ylabel() == "instances, mean of 30 min"
    assert waits.get_ylabel() == "wait until start"
    assert waits.get_xlabel() == "days since the beginning"
    drawn.canvas.draw()
    days = [text.get_text() for text in waits.get_xticklabels() if text.get_position()[0] >= 0]
    assert days[:8] == [str(day) for day in range(8)]
    shown = [text.get_text() for text in waits.get_yticklabels()]
    assert shown[:5] == ["0 s", "30 s", "1 min", "2 min", "5 min"]


def test_a_short_run_counts_hours() -> None:
    lowest = rows(figure([run([sample(0), sample(600)], [])]))[2]
    assert lowest.get_xlabel() == "hours since the beginning"


def test_ours_and_a_peer_share_their_scales_side_by_side() -> None:
    ours = run(short(), [(0.0, 90.0)])
    theirs = run([sample(0, waiting=9), sample(1)], [(0.0, 40_000.0)], title="keda")
    drawn = rows(figure([ours, theirs]))
    assert [axes.get_title(loc="left") for axes in drawn[:2]] == ["exact", "keda"]
    for left, right in ((0, 1), (2, 3), (4, 5)):
        assert drawn[left].get_ylim() == drawn[right].get_ylim()
        assert drawn[left].get_xlim() == drawn[right].get_xlim()
    assert drawn[0].get_ylim()[1] > 9
    assert drawn[4].get_ylim()[1] > 40_000


def test_of_very_many_jobs_each_nth_is_drawn_and_all_are_counted() -> None:
    many = [(float(at), 10.0) for at in range(DOTS)] + [(float(at), 500.0) for at in range(DOTS)]
    dots, p95, _ = rows(figure([run([sample(0), sample(1)], many)]))[2].get_lines()
    assert len(dots.get_xdata()) == math.ceil(len(many) / 3)  # type: ignore[arg-type]
    assert dots.get_label() == "one of 3 jobs at its arrival"
    assert p95.get_ydata()[0] == 500  # type: ignore[index]


def test_a_run_without_a_job_is_drawn() -> None:
    assert rows(figure([run([sample(0), sample(1)], [])]))[2].get_ylim() == (0, 180)


def test_the_picture_is_a_png_of_its_size_with_something_on_it(tmp_path: Path) -> None:
    path = tmp_path / "run.png"
    picture([run(short(), [(30.0, 90.0)])], path)
    with Image.open(path) as drawn:
        assert (drawn.format, drawn.size) == ("PNG", (1600, 1000))
        colours = {colour for _, colour in drawn.convert("RGB").getcolors(1 << 20) or []}
    assert {(0, 114, 178), (230, 159, 0), (0, 158, 115)} <= colours


@pytest.mark.parametrize(
    ("samples", "minutes"), [(0, 1), (400, 1), (401, 5), (2000, 5), (10_081, 30), (10**6, 180)]
)
def test_columns_are_as_narrow_as_can_be_seen(samples: int, minutes: int) -> None:
    assert column_minutes(samples) == minutes


def test_a_mean_is_of_its_column_alone() -> None:
    assert means([1, 3, 5, 7, 10], 2) == [2, 6, 10]
    assert means([], 5) == []


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (182, "3.03 min"), (3600, "1 h"), (172_800, "2 d")],
)
def test_a_wait_is_told_in_the_largest_unit(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown
