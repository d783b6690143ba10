"""`academy trace`: what really came, as a file that `academy simulate --trace` replays."""

from __future__ import annotations

import csv
import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from ops.environments import reachable
from ops.errors import OperatorError, UsageError
from ops.release_commands import Environment
from ops.simulate.load_file import HEADER
from ops.simulate.measured import last_period, measured
from ops.simulate.trace import KEPT_DAYS, jobs_of
from ops.view import console as make_console

Kind = Annotated[str, typer.Option(help="the kind of workers")]
Days = Annotated[int, typer.Option(min=1, max=KEPT_DAYS, help="how far back")]


def trace(environment: Environment, kind: Kind = "video", days: Days = 7) -> None:
    """Write the jobs that came in the last days, from the workers' metrics, as CSV."""
    settings = reachable(environment)
    if kind not in settings.workers:
        known = ", ".join(sorted(settings.workers))
        raise UsageError(f"--kind is {kind!r}; {environment} has {known}")
    until = last_period(datetime.now(UTC))
    jobs = jobs_of(measured(settings, kind, since=until - timedelta(days=days), until=until))
    if not jobs:
        raise OperatorError(
            f"no job of {kind} succeeded in {environment} within the last {days} days",
            hint="`academy simulate` draws a school's week where there is nothing to replay",
        )
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(HEADER)
    rows.writerows(jobs)
    make_console(stderr=True).print(f"{len(jobs)} jobs of {kind} in {days} days", highlight=False)
