"""The job type `omr_grading`: a photo or scan of one answer sheet.

Payload: `file_key` (a picture, or a PDF of one page), `questions`, `choices` (5 when absent) and
`answer_key` (the right choices, counted from 1; may be absent).
Result: `answers` (question, choice or null, confidence, doubt), `review` (the doubtful questions),
`markers` (how many of the sheet's four were seen) and, with a key, `score`.
"""

from __future__ import annotations

from dataclasses import dataclass

from config.contracts.ai_jobs import AiJob
from config.contracts.storage_keys import ai_prefix
from worker_images.ai import pictures
from worker_images.ai.files import fetch
from worker_images.ai.omr import layout as sheet
from worker_images.ai.omr.grade import decide, score
from worker_images.ai.omr.layout import Layout
from worker_images.ai.omr.locate import flatten
from worker_images.ai.omr.marks import measure
from worker_images.ai.payload import Payload
from worker_images.base.errors import BadInput
from worker_images.base.storage import Storage
from worker_images.base.work import Context, Result

_USUAL_CHOICES = 5


@dataclass(frozen=True)
class GradeSheet:
    """Reads the marks of a sheet; what is doubtful goes to review and earns no point."""

    storage: Storage

    def __call__(self, job: AiJob, context: Context) -> Result:
        fields = Payload(job.payload)
        key = fields.file_key(ai_prefix(job.tenant_id))
        layout = _layout(fields)
        right = fields.integers("answer_key", count=layout.questions, least=1, most=layout.choices)
        context.report(0, "downloading", None)
        data = fetch(self.storage, key, most_bytes=pictures.MAX_FILE_BYTES)
        context.cancellation.check()
        context.report(30, "finding the sheet", None)
        flat = flatten(_only_page(data), layout)
        context.cancellation.check()
        context.report(60, "reading the marks", None)
        answers = decide(measure(flat.picture, layout))
        review = [answer.question for answer in answers if answer.doubt]
        values = {
            "answers": [answer.values for answer in answers],
            "review": review,
            "markers": flat.markers,
        }
        if right is not None:
            values["score"] = score(answers, right)
        return Result(values, needs_review=bool(review))


def _layout(fields: Payload) -> Layout:
    choices = fields.integer(
        "choices", least=sheet.MIN_CHOICES, most=sheet.MAX_CHOICES, default=_USUAL_CHOICES
    )
    most = sheet.max_questions(choices)
    return Layout(fields.integer("questions", least=1, most=most), choices)


def _only_page(data: bytes) -> pictures.Grey:
    pages = pictures.page_count(data)
    if pages != 1:
        raise BadInput(
            "NOT_ONE_SHEET", f"file_key: {pages}쪽 파일입니다. 답안지는 한 쪽이어야 합니다."
        )
    return pictures.page(data, 0)
