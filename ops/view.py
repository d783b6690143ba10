"""How things are shown: live at a terminal, line by line anywhere else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.live import Live
from rich.markup import escape

Show = Callable[[str], None]
#: Wider than any table: rich takes 80 columns for granted where there is no terminal.
_LOG_WIDTH = 1000


def console(*, stderr: bool = False) -> Console:
    """Return a console that wraps at a terminal's width, and nowhere in a log or a pipe."""
    made = Console(stderr=stderr, emoji=False)
    return made if made.is_terminal else Console(stderr=stderr, width=_LOG_WIDTH, emoji=False)


def say_title(console: Console, title: str) -> None:
    """Print the title of a step; nothing in it is markup."""
    console.print(f"[bold]▸ {escape(title)}[/]", highlight=False, soft_wrap=True)


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

    say_title(console, title)
    began = time.monotonic()
    yield say
    took = f"[dim]{time.monotonic() - began:.1f} s[/]"
    console.print(f"  [green]✓[/] {escape(outcome or 'done')} {took}", highlight=False)
