"""What the environments hold: documented names and numbers, merged deeply, frozen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from config.contracts.names import physical_name
from config.contracts.queues import BY_KEY
from config.files import merge
from config.settings import load_settings


def test_visibility_timeouts_are_those_of_the_documents() -> None:
    queues = load_settings("prod").queues
    assert {key: queue.visibility_timeout_s for key, queue in queues.items()} == {
        "video": 300,
        "ai_lite": 3600,
        "ai_basic": 3600,
        "ai_premium": 3600,
        "messaging": 60,
    }


def test_every_environment_has_every_documented_queue(environment: str) -> None:
    assert set(load_settings(environment).queues) == set(BY_KEY)


def test_buckets_carry_the_documented_names(environment: str) -> None:
    buckets = load_settings(environment).storage.buckets.model_dump()
    assert buckets == {role: physical_name(environment, f"academy-{role}") for role in buckets}


def test_the_ladder_is_the_documented_one(environment: str) -> None:
    settings = load_settings(environment)
    assert [(rung.short_side_px, rung.video_kbps) for rung in settings.video.ladder] == [
        (360, 800),
        (720, 2500),
        (1080, 5000),
    ]
    assert settings.video.segment_s == 6


def test_only_throwaway_environments_leave_data_unprotected() -> None:
    kept = {name: load_settings(name).protect_data for name in ("local", "dev", "staging", "prod")}
    assert kept == {"local": False, "dev": False, "staging": True, "prod": True}


def test_settings_cannot_be_changed() -> None:
    settings = load_settings("local")
    with pytest.raises(ValidationError, match="frozen"):
        settings.environment = "prod"  # type: ignore[misc]


def test_mappings_merge_and_lists_are_replaced() -> None:
    base = {"a": {"x": 1, "y": [1, 2]}, "b": {"z": 1}}
    assert merge(base, {"a": {"y": [3]}, "b": None}) == {"a": {"x": 1, "y": [3]}, "b": None}
    assert base == {"a": {"x": 1, "y": [1, 2]}, "b": {"z": 1}}


_TREES = st.recursive(
    st.integers() | st.lists(st.integers()),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner),
)
_MAPPINGS = st.dictionaries(st.sampled_from("abc"), _TREES)


@given(_MAPPINGS, _MAPPINGS)
def test_what_the_environment_says_always_wins(base: dict, over: dict) -> None:  # type: ignore[type-arg]
    merged = merge(base, over)
    assert merge(merged, over) == merged
    assert set(merged) == set(base) | set(over)
    assert merge(base, {}) == base
