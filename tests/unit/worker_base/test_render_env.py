"""An environment file is complete or it is not written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker_images.base.errors import ConfigurationError
from worker_images.base.render_env import render

REQUIRED = ("DB_HOST", "STORAGE_PROVIDER")
GOOD = {"DB_HOST": "db", "STORAGE_PROVIDER": "s3"}
ARN = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:db-AbCdEf"


def rendered(parameters: dict[str, str], *, previous: str = "", secret: str = "") -> str:
    return render(parameters, required=REQUIRED, secret_value=lambda arn: secret, previous=previous)


def test_keys_are_sorted_one_a_line() -> None:
    assert rendered({**GOOD, "A": "1=2 #x"}) == "A=1=2 #x\nDB_HOST=db\nSTORAGE_PROVIDER=s3\n"


@pytest.mark.parametrize("value", [None, "", " "])
def test_a_required_key_that_is_missing_or_emptied_is_refused(value: str | None) -> None:
    parameters = dict(GOOD)
    if value is None:
        del parameters["DB_HOST"]
    else:
        parameters["DB_HOST"] = value
    with pytest.raises(ConfigurationError, match="DB_HOST"):
        rendered(parameters)


def test_secrets_are_resolved_whole_or_by_json_key() -> None:
    whole = rendered({**GOOD, "TOKEN": f"secretsmanager:{ARN}"}, secret="t0k")
    assert "TOKEN=t0k\n" in whole
    part = rendered({**GOOD, "PW": f"secretsmanager:{ARN}#password"}, secret='{"password": "p"}')
    assert "PW=p\n" in part


@pytest.mark.parametrize("secret", ["not json", '{"other": "p"}', '["p"]'])
def test_a_secret_without_the_key_is_refused_without_showing_it(secret: str) -> None:
    with pytest.raises(ConfigurationError, match=r"PW: secret .*'password'") as caught:
        rendered({**GOOD, "PW": f"secretsmanager:{ARN}#password"}, secret=secret)
    assert secret not in str(caught.value)


def test_a_value_of_two_lines_would_break_the_file_and_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"one line each: A$"):
        rendered({**GOOD, "A": "first\nDB_HOST=evil"})


def test_r2_needs_its_keys() -> None:
    with pytest.raises(ConfigurationError, match="R2_ACCESS_KEY"):
        rendered({**GOOD, "STORAGE_PROVIDER": "r2", "R2_ENDPOINT": "https://e"})


@given(st.integers(0, 40), st.integers(0, 40))
def test_more_than_three_keys_in_ten_may_not_vanish_at_once(kept: int, gone: int) -> None:
    keys = [f"KEPT_{n}" for n in range(kept)] + [f"GONE_{n}" for n in range(gone)]
    previous = "".join(f"{key}=1\n" for key in keys)
    parameters = {**GOOD, **{f"KEPT_{n}": "2" for n in range(kept)}}
    if gone > 0.3 * (kept + gone):
        with pytest.raises(ConfigurationError, match="keys are gone"):
            rendered(parameters, previous=previous)
    else:
        assert rendered(parameters, previous=previous)
