"""The job type `ocr`: the text of a picture or a PDF.

Payload: `file_key`.
Result: `text`, `lines` (text, confidence, box as x, y, width, height in pixels of the page, page
counted from 1), `mean_confidence`, `language` (kor, eng, kor+eng or "") and `pages`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from config.contracts.ai_jobs import AiJob
from config.contracts.storage_keys import ai_prefix
from worker_images.ai import pictures
from worker_images.ai.files import fetch
from worker_images.ai.ocr.page import PageReader
from worker_images.ai.ocr.text import Line, language, mean_confidence
from worker_images.ai.payload import Payload
from worker_images.base.errors import BadInput
from worker_images.base.storage import Storage
from worker_images.base.work import Context, Result

#: Below these somebody looks at the text: a page of good print has 0.9, a line with a word that was
#: made up less than 0.7.
SURE_OF_ALL, SURE_OF_LINE = 0.8, 0.7


@dataclass(frozen=True)
class ReadText:
    """Reads page after page; a job that is to stop does so within a page."""

    storage: Storage
    reader: PageReader

    def __call__(self, job: AiJob, context: Context) -> Result:
        key = Payload(job.payload).file_key(ai_prefix(job.tenant_id))
        context.report(0, "downloading", None)
        data = fetch(self.storage, key, most_bytes=pictures.MAX_FILE_BYTES)
        count = pictures.page_count(data)
        if not 1 <= count <= pictures.MAX_PAGES:
            raise BadInput(
                "TOO_MANY_PAGES",
                f"file_key: {count}쪽 파일입니다. 1~{pictures.MAX_PAGES}쪽까지 사용할 수 있습니다.",
            )
        started, pages = time.monotonic(), list[list[Line]]()
        for number in range(count):
            context.cancellation.check()
            spent_s = time.monotonic() - started
            left_s = spent_s / number * (count - number) if number else None
            context.report(100 * number / count, f"reading page {number + 1} of {count}", left_s)
            pages.append(self.reader.read(pictures.page(data, number), context.cancellation))
        return _result(pages)


def _result(pages: list[list[Line]]) -> Result:
    lines = [line for page in pages for line in page]
    text = "\n\n".join("\n".join(line.text for line in page) for page in pages)
    confidence = mean_confidence(lines)
    values: dict[str, Any] = {
        "text": text,
        "lines": [
            {**line.values, "page": number}
            for number, page in enumerate(pages, start=1)
            for line in page
        ],
        "mean_confidence": round(confidence, 3),
        "language": language(text),
        "pages": len(pages),
    }
    doubtful = any(line.confidence < SURE_OF_LINE for line in lines)
    return Result(values, needs_review=doubtful or confidence < SURE_OF_ALL)
