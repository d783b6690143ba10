"""Submissions of AI jobs of any type: which calls are one call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from config.contracts.ai_jobs import OCR, Tier, decode_ai_job
from worker_images.api import ai_jobs
from worker_images.api.ai_jobs import Submission
from worker_images.api.models import AiJob, OutboxEntry
from worker_images.api.outbox import QueueUnavailable

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("database")]


def submit(**changes: Any) -> AiJob:
    """Submit an OCR job whose message goes nowhere."""
    fields = {"tenant_id": 1, "job_type": OCR, "tier": Tier.LITE, "payload": {"page": "한글"}}
    submission = Submission(**{**fields, "dedupe_key": "page-1", **changes})
    return ai_jobs.submit(submission, lambda queue, body: None)


def ended(job: AiJob, state: str) -> AiJob:
    AiJob.objects.filter(pk=job.pk).update(state=state)
    return job


def test_the_message_says_what_the_row_says() -> None:
    job = submit(source_domain="exam", source_id="7")
    entry = OutboxEntry.objects.get()
    message = decode_ai_job(entry.body)
    assert entry.queue == "ai_lite"
    assert (message.job_id, message.payload) == (str(job.pk), {"page": "한글"})
    assert (message.job_type, message.tier, message.tenant_id) == (OCR, "lite", 1)
    assert (message.source_domain, message.source_id) == ("exam", "7")
    assert message.created_at == job.created_at.isoformat()


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "RETRYING"])
@pytest.mark.parametrize("repeatable", [True, False])
def test_an_open_job_answers_its_key(state: str, repeatable: bool) -> None:
    job = ended(submit(repeatable=repeatable), state)
    assert submit(repeatable=repeatable).pk == job.pk
    assert OutboxEntry.objects.count() == 1


@pytest.mark.parametrize("state", ["DONE", "REVIEW_REQUIRED"])
def test_a_finished_job_answers_its_key_unless_it_is_repeatable(state: str) -> None:
    job = ended(submit(), state)
    assert submit().pk == job.pk
    again = submit(repeatable=True)
    assert again.pk != job.pk
    assert submit().pk == again.pk


@pytest.mark.parametrize("state", ["FAILED", "REJECTED_BAD_INPUT"])
@pytest.mark.parametrize("repeatable", [True, False])
def test_a_failed_job_answers_nothing_again(state: str, repeatable: bool) -> None:
    job = ended(submit(), state)
    assert submit(repeatable=repeatable).pk != job.pk


def test_without_a_key_and_for_another_tenant_every_call_is_its_own() -> None:
    jobs = {submit(dedupe_key="").pk, submit(dedupe_key="").pk, submit().pk, submit(tenant_id=2).pk}
    assert len(jobs) == 4


def test_a_refused_message_is_sent_by_the_same_call() -> None:
    sent: list[str] = []

    def refuse(queue: str, body: str) -> None:
        raise QueueUnavailable("away")

    submission = Submission(1, OCR, Tier.LITE, {}, dedupe_key="page-2")
    with pytest.raises(ai_jobs.JobQueueRefused):
        ai_jobs.submit(submission, refuse)
    job = ai_jobs.submit(submission, lambda queue, body: sent.append(body))
    assert [decode_ai_job(body).job_id for body in sent] == [str(job.pk)]
    assert AiJob.objects.count() == 1


def test_calls_at_once_with_one_key_are_one_job(
    together: Callable[[int, Callable[[], Any]], list[Any]],
) -> None:
    ended(submit(repeatable=True), "DONE")
    jobs = together(6, lambda: submit(repeatable=True).pk)
    assert len(set(jobs)) == 1
    assert AiJob.objects.count() == 2
