"""An environment file is complete or it is not written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.contracts.parameters import configuration_digest
from worker_images.base.errors import ConfigurationError
from worker_images.base.render_env import Stored, render

REQUIRED = ("DB_HOST", "STORAGE_PROVIDER")
GOOD = {"DB_HOST": "db", "STORAGE_PROVIDER": "s3"}
ARN = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:db-AbCdEf"


def rendered(parameters: dict[str, str], *, previous: Sequence[str] = (), secret: str = "") -> str:
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
def test_more_than_a_quarter_of_the_keys_may_not_vanish_at_once(kept: int, gone: int) -> None:
    keys = [f"KEPT_{n}" for n in range(kept)] + [f"GONE_{n}" for n in range(gone)]
    parameters = {**GOOD, **{f"KEPT_{n}": "2" for n in range(kept)}}
    if 4 * gone > kept + gone:
        with pytest.raises(ConfigurationError, match="keys are gone"):
            rendered(parameters, previous=keys)
    else:
        assert rendered(parameters, previous=keys)


def test_the_file_says_which_configuration_it_is() -> None:
    text = render(GOOD, required=REQUIRED, secret_value=str, digest=lambda: "0123456789ab")
    assert text.splitlines()[0] == "CONFIGURATION=0123456789ab"


@given(st.dictionaries(st.text(min_size=1), st.text()), st.text(min_size=1), st.text())
def test_a_configuration_is_known_by_the_versions_of_its_parts(
    versions: dict[str, str], name: str, version: str
) -> None:
    other = {**versions, name: version}
    same = configuration_digest(dict(reversed(versions.items())))
    assert same == configuration_digest(versions)
    assert (configuration_digest(other) == same) == (other == versions)


class Aws:
    """Parameter Store and Secrets Manager with one page of two parameters, and any secret."""

    def __init__(self) -> None:
        self.version, self.reads = 1, 0
        self.values = {"TOKEN": "secretsmanager:token", "DB_SECRET_ARN": "db"}

    def get_paginator(self, operation: str) -> Aws:
        assert operation == "get_parameters_by_path"
        return self

    def paginate(self, **_: object) -> list[dict[str, Any]]:
        written = datetime(2026, 1, 1, tzinfo=UTC)
        found = [
            {"Name": f"/p/{key}", "Value": value, "Version": 1, "LastModifiedDate": written}
            for key, value in self.values.items()
        ]
        return [{"Parameters": found}]

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803 - boto3's
        self.reads += 1
        return {"SecretString": "{}", "VersionId": f"{SecretId}-{self.version}"}


def test_what_lies_below_each_path_is_read() -> None:
    asked: list[object] = []

    class Paths(Aws):
        def paginate(self, **given: object) -> list[dict[str, Any]]:
            asked.append(given["Path"])
            self.values = {f"KEY_{len(asked)}": "value"}
            return super().paginate()

    aws = Paths()
    stored = Stored(aws, aws, ["/academy/workers/env", "/academy/workers/env/messaging"])
    assert stored.parameters() == {"KEY_1": "value", "KEY_2": "value"}
    assert asked == stored.paths


def digest_of(aws: Aws, secret: str) -> str:
    stored = Stored(aws, aws, ["/p"])
    stored.parameters()
    stored.secret(secret)
    stored.secret(secret)
    return stored.digest()


def test_a_secret_is_read_once_and_its_version_counts() -> None:
    aws = Aws()
    before = digest_of(aws, "token")
    assert aws.reads == 1
    assert digest_of(aws, "token") == before
    aws.version = 2
    assert digest_of(aws, "token") != before


def test_a_rotated_database_password_is_no_other_configuration() -> None:
    aws = Aws()
    before = digest_of(aws, "db")
    aws.version = 2
    assert digest_of(aws, "db") == before
