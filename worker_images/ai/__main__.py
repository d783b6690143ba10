"""`python -m worker_images.ai`: composes the worker and runs it until it may go."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import cv2

from config.contracts import ai_jobs
from config.contracts.ai_jobs import AiJob, decode_ai_job
from worker_images.ai.dispatch import Dispatch
from worker_images.ai.excel.export import ExportAttendance, ExportStaff
from worker_images.ai.excel.parse import ParseExcel
from worker_images.ai.ocr.handler import ReadText
from worker_images.ai.ocr.page import PageReader
from worker_images.ai.ocr.tesseract import find_tesseract
from worker_images.ai.omr.handler import GradeSheet
from worker_images.ai.settings import load_ai_settings
from worker_images.ai.subtitles.handler import MakeSubtitles
from worker_images.ai.subtitles.model import find_model
from worker_images.base.consumer import Consumer
from worker_images.base.job_kinds import AI_JOBS
from worker_images.base.main import run_worker
from worker_images.base.parts import Parts

#: What the lines of the loop start with, as those of the video worker do (the runbook's 7.4).
MARKER = "AI-WORKER-SQS"
#: The most urgent first: who pays most waits least.
QUEUES = ("ai_premium", "ai_basic", "ai_lite")


def compose(parts: Parts, environ: Mapping[str, str]) -> Consumer:
    """Return the consumer of the three tiers' queues with everything it needs."""
    settings = load_ai_settings(environ)
    # Jobs run beside each other already.
    cv2.setNumThreads(1)
    pictures, videos, sheets = parts.storage("ai"), parts.storage("video"), parts.storage("excel")
    handlers = {
        ai_jobs.OCR: ReadText(pictures, PageReader(find_tesseract(settings.ocr_languages))),
        ai_jobs.OMR_GRADING: GradeSheet(pictures),
        ai_jobs.SUBTITLES: MakeSubtitles(videos, pictures, find_model(settings.subtitles_model)),
        ai_jobs.EXCEL_PARSING: ParseExcel(sheets),
        ai_jobs.ATTENDANCE_EXCEL_EXPORT: ExportAttendance(sheets),
        ai_jobs.STAFF_EXCEL_EXPORT: ExportStaff(sheets),
    }
    return parts.consumer(
        marker=MARKER,
        queues=QUEUES,
        decode=decode_ai_job,
        jobs={AiJob: (AI_JOBS, Dispatch(handlers))},
    )


if __name__ == "__main__":
    sys.exit(run_worker("ai", compose))
