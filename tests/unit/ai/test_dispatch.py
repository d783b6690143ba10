"""Which jobs run, and how the others are refused."""

from __future__ import annotations

from typing import Any

import pytest

from config.contracts.ai_jobs import JOB_TYPES, AiJob, Tier
from worker_images.ai.dispatch import Dispatch
from worker_images.ai.payload import Payload
from worker_images.base.errors import BadInput
from worker_images.base.testing_run import run_job
from worker_images.base.work import Context, Result


def job(job_type: str = "ocr", tier: str = "lite", **payload: Any) -> AiJob:
    return AiJob("3e2a8c3a-90f5-4f0e-8b5c-9b7c1d2e3f40", job_type, tier, payload, 7, "", "", "")


def dispatch(types: tuple[str, ...] = tuple(JOB_TYPES)) -> Dispatch:
    def handler(name: str) -> Any:
        def handle(job: AiJob, context: Context) -> Result:
            return Result({"ran": name})

        return handle

    return Dispatch({name: handler(name) for name in types})


@pytest.mark.parametrize(
    ("job_type", "tier"), [(name, tier) for name, tiers in JOB_TYPES.items() for tier in tiers]
)
def test_a_type_runs_in_every_tier_that_may_run_it(job_type: str, tier: Tier) -> None:
    outcome = run_job(dispatch(), job(job_type, tier))

    assert (outcome.state, outcome.values) == ("DONE", {"ran": job_type})


def test_an_unknown_type_is_rejected_with_the_allowed_types() -> None:
    outcome = run_job(dispatch(), job("translate"))

    assert outcome.state == "REJECTED_BAD_INPUT"
    assert "translate" in outcome.message
    assert all(name in outcome.message for name in JOB_TYPES)
    assert outcome.disposition.delete


@pytest.mark.parametrize(
    ("job_type", "tier"),
    [
        (name, tier)
        for name, tiers in JOB_TYPES.items()
        for tier in (*Tier, "gold", "")
        if tier not in tiers
    ],
)
def test_a_tier_that_may_not_run_a_type_is_rejected_with_the_allowed_tiers(
    job_type: str, tier: str
) -> None:
    outcome = run_job(dispatch(), job(job_type, tier))

    assert outcome.state == "REJECTED_BAD_INPUT"
    assert f"허용: {', '.join(JOB_TYPES[job_type])}" in outcome.message


@pytest.mark.parametrize(
    ("read", "fields", "said"),
    [
        (lambda p: p.file_key("a/"), {}, ("file_key", "None")),
        (lambda p: p.file_key("a/"), {"file_key": 3}, ("file_key", "3")),
        (
            lambda p: p.file_key("tenants/7/ai/"),
            {"file_key": "tenants/70/ai/x"},
            ("tenants/7/ai/",),
        ),
        (lambda p: p.file_key("a/"), {"file_key": "a/"}, ("a/",)),
        (lambda p: p.integer("n", least=1, most=9), {"n": 0}, ("n", "0", "1~9")),
        (lambda p: p.integer("n", least=1, most=9), {"n": 10}, ("n", "10", "1~9")),
        (lambda p: p.integer("n", least=1, most=9), {"n": True}, ("n", "True")),
        (lambda p: p.integer("n", least=1), {"n": "3"}, ("n", "3", "1 이상")),
        (lambda p: p.one_of("l", ("ko",), default="ko"), {"l": "fr"}, ("l", "fr", "ko")),
        (lambda p: p.one_of("l", ("ko",), default="ko"), {"l": ["ko"]}, ("l", "ko")),
        (lambda p: p.integers("k", count=2, least=1, most=5), {"k": [1]}, ("k", "1개", "2개")),
        (lambda p: p.integers("k", count=2, least=1, most=5), {"k": "12"}, ("k", "12")),
        (lambda p: p.integers("k", count=2, least=1, most=5), {"k": [1, 6]}, ("k[1]", "6", "1~5")),
        (lambda p: p.integers("k", count=2, least=1, most=5), {"k": [1, None]}, ("k[1]", "None")),
    ],
)
def test_a_refused_field_is_named_with_its_value_and_what_is_allowed(
    read: Any, fields: dict[str, Any], said: tuple[str, ...]
) -> None:
    with pytest.raises(BadInput) as refused:
        read(Payload(fields))

    assert all(part in refused.value.message for part in said), refused.value.message


def test_absent_fields_take_their_defaults() -> None:
    payload = Payload({"key": None})

    assert payload.integer("n", least=1, default=5) == 5
    assert payload.one_of("l", ("ko",), default="ko") == "ko"
    assert payload.integers("key", count=2, least=1, most=5) is None
