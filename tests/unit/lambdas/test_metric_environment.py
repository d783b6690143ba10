"""The metric function's environment: every error names the variable and what is allowed."""

from __future__ import annotations

import json

import pytest

from config.contracts.environment import METRIC_FUNCTION
from config.contracts.fleet_rules import encode_rules
from lambdas.queue_depth_metric.environment import EnvironmentInvalid, load_settings
from tests.unit.lambdas.metric_rules import rules

FLEET = {**encode_rules(rules()), "unknown": "is ignored"}
GOOD = {
    "VIDEO_BACKLOG_API_URL": "http://localhost:8000/",
    "LAMBDA_INTERNAL_API_KEY": "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:key",
    "ENVIRONMENT": "local",
    "FLEETS": json.dumps([FLEET]),
    "TICK_S": "10",
}


def test_settings_hold_what_the_environment_says() -> None:
    settings = load_settings(GOOD)

    assert settings.api_url == "http://localhost:8000"
    assert settings.fleets == (rules(),)
    assert settings.tick_s == 10


@pytest.mark.parametrize("name", METRIC_FUNCTION)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_or_empty_variable_is_named(name: str, value: str | None) -> None:
    environ = {**GOOD, name: value}
    with pytest.raises(EnvironmentInvalid, match=name):
        load_settings({key: text for key, text in environ.items() if text is not None})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("VIDEO_BACKLOG_API_URL", "file:///etc/passwd", "http://host"),
        ("VIDEO_BACKLOG_API_URL", "ftp://host", "http://host"),
        ("VIDEO_BACKLOG_API_URL", "https://", "http://host"),
        ("LAMBDA_INTERNAL_API_KEY", "the-key-itself", "ARN"),
        ("TICK_S", "soon", "TICK_S"),
        ("TICK_S", "0", "above 0"),
        ("TICK_S", "61", "at most 60"),
        ("TICK_S", "nan", "above 0"),
        ("FLEETS", "{", "FLEETS is no JSON"),
        ("FLEETS", "[]", "at least one"),
        ("FLEETS", "[1]", r"FLEETS\[0\]"),
        ("FLEETS", json.dumps([FLEET, {**FLEET, "kind": "Video"}]), r"FLEETS\[1\].kind"),
        ("FLEETS", json.dumps([{**FLEET, "group": ""}]), r"FLEETS\[0\].*group"),
        ("FLEETS", json.dumps([{**FLEET, "queues": []}]), r"FLEETS\[0\].*queues"),
        ("FLEETS", json.dumps([{**FLEET, "queues": "q"}]), r"FLEETS\[0\].*queues"),
        ("FLEETS", json.dumps([{**FLEET, "slots": 0}]), r"FLEETS\[0\].*slots"),
        ("FLEETS", json.dumps([{**FLEET, "boot_limit_s": None}]), r"FLEETS\[0\].*boot_limit_s"),
        ("FLEETS", json.dumps([{**FLEET, "spot_percent": -1}]), r"FLEETS\[0\].*spot_percent"),
    ],
)
def test_a_wrong_value_says_variable_and_allowed(name: str, value: str, said: str) -> None:
    with pytest.raises(EnvironmentInvalid, match=said):
        load_settings({**GOOD, name: value})


def test_a_key_in_place_of_its_arn_is_not_repeated() -> None:
    with pytest.raises(EnvironmentInvalid) as caught:
        load_settings({**GOOD, "LAMBDA_INTERNAL_API_KEY": "hunter2-hunter2"})
    assert "hunter2" not in str(caught.value)
