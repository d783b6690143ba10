"""A run as a table: what was done to it, what came of the jobs, what held."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.faults.checks import Check
from benchmarks.faults.facts import Facts, JobFacts

_NAMES = {"text_messages": "texts", "ai_jobs": "rosters and exports", "video_jobs": "videos"}
_HEAD = """# Fault run

Written by `python -m benchmarks.faults --jobs {jobs} --seed {seed} --report docs/fault-run.md`;
`tests/faults` runs it in small. A real PostgreSQL, Redis, API and relay, the embedded AWS, a
stand-in of Aligo that counts texts, and real worker processes that a supervisor starts again. Jobs
are ordered over HTTP, as browsers do, while all of this is done to them.

{jobs} jobs were ordered within {ordered_s:.0f} s; after {took_s:.0f} s all had ended, every queue
empty, on {cores} cores. {repeated} calls of the API were answered 5xx or not at all, and made
again.
"""


@dataclass(frozen=True)
class Run:
    """A finished run. `endings` are the workers' by kind and how, `done` the faults by kind."""

    jobs: int
    seed: int
    cores: int
    ordered_s: float
    took_s: float
    repeated: int
    done: Mapping[tuple[str, str], int]
    endings: Mapping[tuple[str, str], int]
    facts: Facts
    checks: Sequence[Check]

    @property
    def holds(self) -> bool:
        """Whether every invariant does."""
        return all(check.holds for check in self.checks)


def as_json(run: Run) -> dict[str, Any]:
    """Return what a program may want to know."""
    return {
        "jobs": run.jobs,
        "seed": run.seed,
        "took_s": round(run.took_s, 1),
        "faults": {" ".join(filter(None, key)): n for key, n in sorted(run.done.items())},
        "endings": {" ".join(key): n for key, n in sorted(run.endings.items())},
        "outcomes": {
            table: dict(Counter(job.state for job in run.facts.jobs if job.table == table))
            for table in _NAMES
        },
        "torment": vars(run.facts.torment),
        "checks": [vars(check) for check in run.checks],
        "holds": run.holds,
    }


def as_markdown(run: Run) -> str:
    """Return the report."""
    done: dict[str, dict[str, int]] = {}
    for (fault, kind), count in run.done.items():
        done.setdefault(fault, {})[kind] = count
    faults = [
        (fault, sum(counts.values()), _each(counts)) for fault, counts in sorted(done.items())
    ]
    endings = [(kind, how, count) for (kind, how), count in sorted(run.endings.items())]
    verdicts = [
        (check.rule, check.found, "holds" if check.holds else "**BROKEN**") for check in run.checks
    ]
    parts = [
        _HEAD.format(**vars(run)),
        "## What was done\n",
        _table(("fault", "times", "of which"), faults),
        "## How worker processes ended and were replaced\n",
        _table(("fleet", "ended by", "times"), endings),
        "## What came of the jobs\n",
        _table(
            (
                "jobs",
                "outcome",
                "how many",
                "attempts (most)",
                "handed back",
                "median s",
                "longest s",
            ),
            _outcomes(run.facts.jobs),
        ),
        "## What held\n",
        _table(("invariant", "found", ""), verdicts),
    ]
    return "\n".join(parts)


def _each(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()) if kind)


def _outcomes(jobs: Iterable[JobFacts]) -> list[tuple[object, ...]]:
    groups: dict[tuple[str, str, str], list[JobFacts]] = {}
    for job in jobs:
        groups.setdefault((_NAMES[job.table], job.state, job.error_code), []).append(job)
    found: list[tuple[object, ...]] = []
    for (name, state, code), group in sorted(groups.items()):
        attempts = [job.attempt - job.hand_backs for job in group]
        seconds = [job.seconds for job in group if job.seconds is not None] or [0.0]
        found.append(
            (
                name,
                f"{state} ({code})" if code else state,
                len(group),
                f"{sum(attempts)} ({max(attempts)})",
                sum(job.hand_backs for job in group),
                f"{statistics.median(seconds):.1f}",
                f"{max(seconds):.1f}",
            )
        )
    return found


def _table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"
