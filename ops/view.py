"""How things are shown: live at a terminal, line by line anywhere else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.live import Live

Show = Callable[[str], None]


@contextmanager
def live(console: Console, render: Callable[[], RenderableType]) -> Iterator[Show]:
    """Yield a function that shows the current state.

    At a terminal the rendering is drawn anew; elsewhere the line given is printed when it is not
    empty and differs from the last, so that a log stays readable.
    """
    if console.is_terminal:
        with Live(render(), console=console, refresh_per_second=8) as drawn:
            yield lambda _: drawn.update(render())
        return
    last = ""

    def show(line: str) -> None:
        nonlocal last
        if line and line != last:
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        last = line or last

    yield show


@contextmanager
def step(console: Console, title: str) -> Iterator[Callable[[str], None]]:
    """Print a step's title, and its outcome with the seconds that it took.

    Yields: a function that sets the outcome's text. A failure is left to the caller to print.
    """
    outcome = ""

    def say(text: str) -> None:
        nonlocal outcome
        outcome = text

    console.print(f"[bold]▸ {title}[/]")
    began = time.monotonic()
    yield say
    console.print(f"  [green]✓[/] {outcome or 'done'} [dim]{time.monotonic() - began:.1f} s[/]")
