"""What has to hold after a run, whatever was done to it. Pure: facts in, verdicts out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.faults.facts import Facts


@dataclass(frozen=True)
class Check:
    """One invariant: what it says, what was found, and whether that keeps it."""

    rule: str
    found: str
    holds: bool


def judge(facts: Facts) -> list[Check]:
    """Return every invariant with its verdict."""
    return [
        *_jobs(facts),
        *_queues(facts),
        *_texts(facts),
        *_rosters(facts),
        *_videos(facts),
    ]


def _jobs(facts: Facts) -> Iterator[Check]:
    still = [job.job_id for job in facts.jobs if job.is_open]
    yield _none("every job ended", still, f"{len(facts.jobs)} of {len(facts.jobs)}")
    odd = [
        job.job_id for job in facts.jobs if not job.is_open and (job.finals, job.revived) != (1, 0)
    ]
    yield _none("each entered a final state once and never left it", odd)
    yield Check(
        "the roster that kills its workers is given up",
        facts.poison_job,
        facts.poison_job == "FAILED",
    )


def _queues(facts: Facts) -> Iterator[Check]:
    yield Check("the outbox holds nothing to send", str(facts.unsent), facts.unsent == 0)
    yield Check("no message is left in a queue", str(facts.queued), facts.queued == 0)
    healthy = list((facts.dead_letters - facts.poison).elements())
    yield _none("no message of a job is in a dead-letter queue", healthy)
    missing = list((facts.poison - facts.dead_letters).elements())
    there = f"{facts.poison.total()} of {facts.poison.total()}"
    yield _none("all poison is in the dead-letter queues", missing, there)


def _texts(facts: Facts) -> Iterator[Check]:
    twice = [to for to, times in facts.sent.items() if times > 1]
    yield _none("no text went out twice", twice)
    lacking = [to for to in facts.ordered if to not in facts.texts]
    yield _none("every text that was ordered has a row", lacking)
    wrong = [
        to
        for to, state in facts.texts.items()
        if state != "UNKNOWN" and facts.sent[to] != (state == "SENT")
    ]
    yield _none("SENT texts went out, and no other but doubtful ones", wrong)
    failed = [to for to, state in facts.texts.items() if state not in ("SENT", "UNKNOWN")]
    yield _none("every text is SENT, or UNKNOWN", failed)
    unknown = sum(state == "UNKNOWN" for state in facts.texts.values())
    yield Check(
        "UNKNOWN are at most the texts that were cut in the midst of their call",
        f"{unknown}, at most {facts.cuts}",
        unknown <= facts.cuts,
    )


def _rosters(facts: Facts) -> Iterator[Check]:
    wanted = facts.enrolled_wanted
    wrong = [
        one for one in {*wanted, *facts.enrolled} if wanted.get(one) != facts.enrolled.get(one)
    ]
    yield _none("every lecture has its roster's students, no other has any", list(map(str, wrong)))
    yield Check(
        "every student exists once",
        f"{facts.students} of {facts.students_wanted}",
        facts.students == facts.students_wanted,
    )
    yield Check(
        "what the jobs say they did adds up to what is there",
        f"{facts.told_created} created, {facts.told_enrolled} enrolled",
        (facts.told_created, facts.told_enrolled) == (facts.students, sum(facts.enrolled.values())),
    )
    odd = sorted(facts.excel_keys ^ facts.excel_keys_wanted)
    yield _none(
        "one file for each export, and no roster once the relay has looked for left ones",
        odd,
        f"{len(facts.excel_keys)} exports, {facts.left_rosters} rosters deleted late",
    )


def _videos(facts: Facts) -> Iterator[Check]:
    wrong = [
        str(video.video_id)
        for video in facts.videos
        if video.state != ("READY" if video.wanted else "FAILED")
    ]
    yield _none("every film is READY, and what is none FAILED", wrong)
    short = [
        f"{video.video_id}: {list(video.frames)} of {video.wanted}"
        for video in facts.videos
        if any(frames != video.wanted for frames in video.frames)
    ]
    yield _none("every rendition has its source's frames", short)
    faults = [f"{video.video_id}: {fault}" for video in facts.videos for fault in video.faults]
    yield _none("every playlist passes the strict checker, and names every object", faults)
    yield _none("no object belongs to nothing", list(facts.stray))
    torment = facts.torment
    again = torment.started - torment.parts
    yield Check(
        f"the video killed {torment.kills} times encodes at most one part again per interruption",
        f"{again} of {torment.parts} parts again, {torment.interruptions} interruptions",
        torment.state == "SUCCEEDED" and again <= torment.interruptions and torment.parts > 0,
    )


def _none(rule: str, wrong: list[str], right: str = "") -> Check:
    """Return the verdict of a rule that nothing may break."""
    shown = f"{len(wrong)}: {', '.join(wrong[:5])}" if wrong else right or "0 exceptions"
    return Check(rule, shown, not wrong)
