"""A run as a picture: backlog, capacity by state, and each job's wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

from ops.simulate.load import DAY_S, HOUR_S
from ops.simulate.result import Result
from ops.simulate.summary import percentile

#: Inches at dots per inch: 1600 by 1000 pixels.
SIZE_INCHES, DPI = (16.0, 10.0), 100
#: Colours that people with any colour vision tell apart (jfly.uni-koeln.de/color/).
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#999999"
#: Samples are drawn as means of so many minutes, the fewest that make at most so many columns: a
#: boot of two minutes would not be seen in a week.
COLUMNS, COLUMN_MINUTES = 400, (1, 5, 15, 30, 60, 180)
#: Dots beyond which each so-manieth job is drawn: more would not be seen.
DOTS = 20_000
#: Waits below are drawn to a plain scale, above to a logarithmic one.
PLAIN_S = 60.0
_WAITS_S = (0.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 4 * HOUR_S, DAY_S, 7 * DAY_S)


@dataclass(frozen=True)
class Drawn:
    """One run and what it is called."""

    title: str
    result: Result


@dataclass(frozen=True)
class Layer:
    """An area of a stack: what it is, its colour, and its height in each column."""

    label: str
    colour: str
    heights: list[float]


def picture(runs: Sequence[Drawn], path: Path) -> None:
    """Write a PNG with a column for each run, ours first; the rows share their scale."""
    figure(runs).savefig(path, format="png", dpi=DPI)


def figure(runs: Sequence[Drawn]) -> Figure:
    """Return the picture before it is written."""
    made = Figure(figsize=SIZE_INCHES, dpi=DPI, layout="constrained")
    rows = made.subplots(3, len(runs), sharex=True, sharey="row", squeeze=False)
    minutes = column_minutes(max(len(run.result.samples) for run in runs))
    for column, run in enumerate(runs):
        jobs, instances, waits = rows[:, column]
        jobs.set_title(run.title, fontsize=15, fontweight="bold", loc="left")
        _stack(jobs, _work(run, minutes), minutes)
        _stack(instances, _capacity(run, minutes), minutes)
        _waits(waits, run)
        for axes in rows[:, column]:
            axes.grid(visible=True, color=GREY, alpha=0.3)
            axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=4, frameon=False)
    for axes, what in zip(rows[:2, 0], ("jobs", "instances"), strict=True):
        axes.set_ylabel(f"{what}, mean of {minutes} min" if minutes > 1 else what, fontsize=12)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylim(bottom=0)
    rows[2, 0].set_ylabel("wait until start", fontsize=12)
    longest_s = max((wait_s for run in runs for wait_s in run.result.waits_s), default=0.0)
    rows[2, 0].set_ylim(0, max(longest_s, 2 * PLAIN_S) * 1.5)
    _time(list(rows[2, :]), max(run.result.ended_s for run in runs))
    return made


def column_minutes(samples: int) -> int:
    """Return how many minutes a column is wide, of so many samples, one a minute."""
    fitting = [each for each in COLUMN_MINUTES if samples <= each * COLUMNS]
    return fitting[0] if fitting else COLUMN_MINUTES[-1]


def means(values: Sequence[float], count: int) -> list[float]:
    """Return the mean of each `count` values, the last of what is left."""
    groups = (values[at : at + count] for at in range(0, len(values), count))
    return [sum(group) / len(group) for group in groups]


def _time(lowest: Sequence[Axes], ended_s: float) -> None:
    """Label the shared time line in days, or in hours where it is short."""
    unit_s, step, unit = (DAY_S, 1, "days") if ended_s > 2 * DAY_S else (HOUR_S, 3, "hours")
    for axes in lowest:
        axes.set_xlim(0, ended_s)
        axes.xaxis.set_major_locator(MultipleLocator(unit_s * step))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda at_s, _: f"{at_s / unit_s:.0f}"))
        axes.set_xlabel(f"{unit} since the beginning", fontsize=12)


def _work(run: Drawn, minutes: int) -> list[Layer]:
    samples = run.result.samples
    return [
        Layer("in flight", BLUE, means([each.running for each in samples], minutes)),
        Layer("waiting", ORANGE, means([each.waiting for each in samples], minutes)),
    ]


def _capacity(run: Drawn, minutes: int) -> list[Layer]:
    samples = run.result.samples
    idle = [each.in_service - each.busy for each in samples]
    others = [each.alive - each.in_service for each in samples]
    return [
        Layer("busy", BLUE, means([each.busy for each in samples], minutes)),
        Layer("idle", GREEN, means(idle, minutes)),
        Layer("booting or leaving", ORANGE, means(others, minutes)),
    ]


def _stack(axes: Axes, layers: Sequence[Layer], minutes: int) -> None:
    edges_s = [60.0 * minutes * column for column in range(len(layers[0].heights) + 1)]
    below = [0.0] * len(layers[0].heights)
    for layer in layers:
        above = [low + height for low, height in zip(below, layer.heights, strict=True)]
        axes.stairs(
            above,
            edges_s,
            baseline=below,
            fill=True,
            color=layer.colour,
            linewidth=0,
            label=layer.label,
        )
        below = above


def _waits(axes: Axes, run: Drawn) -> None:
    result = run.result
    nth = len(result.waits_s) // DOTS + 1
    axes.plot(
        result.arrivals_s[::nth],
        result.waits_s[::nth],
        ".",
        markersize=4,
        color=BLUE,
        alpha=0.6,
        label="a job at its arrival" if nth == 1 else f"one of {nth} jobs at its arrival",
    )
    ordered = sorted(result.waits_s)
    for share, style in ((0.95, "-"), (0.99, "--")):
        wait_s = percentile(ordered, share)
        label = f"p{share * 100:.0f} {duration(wait_s)}"
        axes.axhline(wait_s, color=RED, linestyle=style, linewidth=1.5, label=label)
    axes.set_yscale("symlog", linthresh=PLAIN_S)
    axes.set_yticks(_WAITS_S)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda wait_s, _: duration(wait_s)))
    axes.minorticks_off()


def duration(seconds: float) -> str:
    """Return a time in the largest unit that it fills."""
    for unit_s, unit in ((DAY_S, "d"), (HOUR_S, "h"), (60.0, "min")):
        if seconds >= unit_s:
            return f"{seconds / unit_s:.3g} {unit}"
    return f"{seconds:.0f} s"
