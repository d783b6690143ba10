"""The judgement: a run in which all went well holds, and each single thing that did not is seen."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.faults.checks import judge
from benchmarks.faults.facts import Facts, JobFacts, Torment
from benchmarks.faults.videos import VideoFacts

JOB = JobFacts("text_messages", "a", "SENT", 1, 0, "", 1.0, finals=1, revived=0)
TORMENT = Torment("SUCCEEDED", kills=10, interruptions=12, parts=16, started=26)
VIDEO = VideoFacts(1, "READY", 150, (150, 150), ())
GOOD = Facts(
    jobs=[JOB],
    unsent=0,
    queued=0,
    dead_letters=Counter(["no JSON {"] * 5),
    poison=Counter(["no JSON {"] * 5),
    poison_job="FAILED",
    ordered=["1", "2"],
    texts={"1": "SENT", "2": "UNKNOWN"},
    sent=Counter(["1", "2"]),
    cuts=1,
    enrolled={3: 25},
    enrolled_wanted={3: 25},
    students=25,
    students_wanted=25,
    told_created=25,
    told_enrolled=25,
    excel_keys=frozenset({"exports/1.xlsx"}),
    excel_keys_wanted=frozenset({"exports/1.xlsx"}),
    left_rosters=1,
    videos=[VIDEO, VideoFacts(2, "FAILED", 0, (), ())],
    stray=[],
    torment=TORMENT,
)
#: What may go wrong, and the beginning of the rule that says so.
WRONGS: list[tuple[str, dict[str, Any]]] = [
    ("every job ended", {"jobs": [replace(JOB, state="QUEUED", finals=0)]}),
    ("each entered a final state once", {"jobs": [replace(JOB, finals=2)]}),
    ("each entered a final state once", {"jobs": [replace(JOB, revived=1)]}),
    ("the roster that kills its workers", {"poison_job": "DONE"}),
    ("the outbox holds nothing", {"unsent": 1}),
    ("no message is left in a queue", {"queued": 1}),
    ("no message of a job", {"dead_letters": Counter(["no JSON {"] * 5 + ["a job's"])}),
    ("no message of a job", {"dead_letters": Counter(["no JSON {"] * 6)}),
    ("all poison is in", {"dead_letters": Counter(["no JSON {"] * 4)}),
    ("no text went out twice", {"sent": Counter(["1", "2", "2"])}),
    ("every text that was ordered", {"ordered": ["1", "2", "3"]}),
    ("SENT texts went out", {"sent": Counter(["2"])}),
    ("SENT texts went out", {"texts": {"1": "FAILED", "2": "UNKNOWN"}}),
    ("every text is SENT", {"texts": {"1": "CANCELLED", "2": "UNKNOWN"}, "sent": Counter()}),
    ("UNKNOWN are at most", {"cuts": 0}),
    ("every lecture has", {"enrolled": {3: 24}}),
    ("every lecture has", {"enrolled": {3: 25, 4: 1}}),
    ("every student exists once", {"students": 26}),
    ("what the jobs say", {"told_created": 50}),
    ("what the jobs say", {"told_enrolled": 50}),
    ("one file for each export", {"excel_keys": frozenset()}),
    ("one file for each export", {"excel_keys": frozenset({"exports/1.xlsx", "excel/2.xlsx"})}),
    ("every film is READY", {"videos": [replace(VIDEO, state="FAILED", frames=())]}),
    ("every rendition has", {"videos": [replace(VIDEO, frames=(150, 149))]}),
    ("every playlist passes", {"videos": [replace(VIDEO, faults=["stray v1/9.m4s"])]}),
    ("no object belongs to nothing", {"stray": ["tenants/1/x"]}),
    ("the video killed 10 times", {"torment": replace(TORMENT, started=29)}),
    ("the video killed 10 times", {"torment": replace(TORMENT, state="DEAD")}),
]


def test_a_run_in_which_all_went_well_holds() -> None:
    assert [check.rule for check in judge(GOOD) if not check.holds] == []


@pytest.mark.parametrize(("rule", "wrong"), WRONGS)
def test_what_went_wrong_is_seen(rule: str, wrong: dict[str, Any]) -> None:
    broken = [check.rule for check in judge(replace(GOOD, **wrong)) if not check.holds]
    assert any(each.startswith(rule) for each in broken), broken
