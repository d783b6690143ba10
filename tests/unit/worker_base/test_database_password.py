"""A process that is refused reads the secret again, and says nothing of what it read."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import boto3
import psycopg
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from worker_images.base.logging import configure, logger
from worker_images.base.password import Password, database_password
from worker_images.base.settings import DatabaseSettings

REFUSED = 'connection failed: FATAL:  password authentication failed for user "academy"'


def server(accepted: str) -> Callable[[str], str]:
    """Return an attempt that the server of one password accepts."""

    def attempt(password: str) -> str:
        if password != accepted:
            raise psycopg.OperationalError(REFUSED)
        return f"session by {password}"

    return attempt


def secret(**stages: str) -> Callable[[str], str | None]:
    """Return the reader of a secret with these stages."""
    return stages.get


@pytest.mark.parametrize(
    ("stages", "accepted"),
    [
        ({"AWSCURRENT": "new"}, "new"),
        # Half way through a rotation: the server is ahead of the secret's current version.
        ({"AWSCURRENT": "old", "AWSPENDING": "new"}, "new"),
        # ... or behind it, when the process knows neither.
        ({"AWSCURRENT": "newer", "AWSPENDING": "newest"}, "newest"),
    ],
)
def test_a_refused_process_connects_with_what_the_secret_says(stages, accepted) -> None:
    password = Password("old", secret(**stages))
    assert password.connect(server(accepted)) == f"session by {accepted}"


def test_what_was_learnt_is_tried_first_from_then_on() -> None:
    reads: list[str] = []

    def read(stage: str) -> str | None:
        reads.append(stage)
        return "new"

    password = Password("old", read)
    password.connect(server("new"))
    assert reads == ["AWSCURRENT"]
    password.connect(server("new"))
    assert reads == ["AWSCURRENT"]


def test_a_secret_that_knows_no_better_leaves_the_servers_refusal() -> None:
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        Password("old", secret(AWSCURRENT="old")).connect(server("other"))


def test_a_server_that_is_away_is_no_reason_to_read_the_secret() -> None:
    def away(password: str) -> str:
        raise psycopg.OperationalError("connection refused")

    def read(stage: str) -> str | None:
        raise AssertionError("the secret was read")

    with pytest.raises(psycopg.OperationalError, match="connection refused"):
        Password("old", read).connect(away)


def test_a_secret_that_cannot_be_read_leaves_the_servers_refusal() -> None:
    def read(stage: str) -> str | None:
        raise EndpointConnectionError(endpoint_url="https://secretsmanager")

    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        Password("old", read).connect(server("new"))


def test_a_password_that_came_later_is_in_no_log_line() -> None:
    stream = io.StringIO()
    configure(secrets=["old-password"], stream=stream)
    Password("old-password", secret(AWSCURRENT="new-password")).connect(server("new-password"))
    logger("test").error("a library shows it", dsn="postgresql://academy:new-password@db")
    lines = stream.getvalue()
    assert "rotated" in lines and "a library shows it" in lines
    assert "new-password" not in lines and "old-password" not in lines


@mock_aws
def test_the_secret_is_read_by_its_arn_and_one_without_a_pending_version_is_fine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    client = boto3.client("secretsmanager", region_name="ap-northeast-2")
    arn = client.create_secret(Name="db", SecretString=json.dumps({"password": "new"}))["ARN"]
    settings = DatabaseSettings(
        "host", 5432, "academy", "academy", "old",
        secret_arn=arn, region="ap-northeast-2", sslmode="require",
    )  # fmt: skip
    assert database_password(settings).connect(server("new")) == "session by new"
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        database_password(settings).connect(server("newest"))
