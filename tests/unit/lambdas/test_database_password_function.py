"""The rotation function's steps: each can be repeated, and none tells a password."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber
from hypothesis import given
from hypothesis import strategies as st

from lambdas.database_password import handler
from lambdas.database_password.request import (
    STEPS,
    RotationRefused,
    current_version,
    parse,
    still_applying,
)
from lambdas.database_password.steps import NotApplied, Rotation

ARN = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:db-AbCdEf"
OLD, NEW = "a" * 36, "b" * 36


class MissingError(Exception):
    """Secrets Manager's ResourceNotFoundException."""


@dataclass
class Secrets:
    """Secrets Manager in memory: values and labels by version."""

    values: dict[str, str] = field(default_factory=dict)
    labels: dict[str, list[str]] = field(default_factory=dict)
    enabled: bool = True
    generated: int = 0

    class exceptions:  # noqa: N801 - boto3's name
        ResourceNotFoundException = MissingError

    def describe_secret(self, **sent: Any) -> Any:
        return {"RotationEnabled": self.enabled, "VersionIdsToStages": self.labels}

    def get_secret_value(self, **sent: Any) -> Any:
        version = sent["VersionId"]
        if version not in self.values or sent["VersionStage"] not in self.labels[version]:
            raise MissingError
        return {"SecretString": self.values[version]}

    def get_random_password(self, **sent: Any) -> Any:
        assert sent["ExcludePunctuation"]
        self.generated += 1
        return {"RandomPassword": str(self.generated) * sent["PasswordLength"]}

    def put_secret_value(self, **sent: Any) -> None:
        self.values[sent["ClientRequestToken"]] = sent["SecretString"]
        self.labels[sent["ClientRequestToken"]] = sent["VersionStages"]

    def update_secret_version_stage(self, **sent: Any) -> None:
        self.labels[sent["RemoveFromVersionId"]].remove(sent["VersionStage"])
        self.labels[sent["MoveToVersionId"]].append(sent["VersionStage"])


@dataclass
class Database:
    """RDS in memory: a password is applied after so many looks."""

    password: str = "old"
    looks: int = 0
    pending: str | None = None

    def modify_db_instance(self, **sent: Any) -> None:
        assert sent["ApplyImmediately"]
        assert sent["DBInstanceIdentifier"] == "db"
        self.pending = sent["MasterUserPassword"]

    def describe_db_instances(self, **sent: Any) -> Any:
        if self.pending and self.looks:
            self.looks -= 1
            values = {"MasterUserPassword": "****"}
            return {"DBInstances": [_instance(values, "available")]}
        self.password, self.pending = self.pending or self.password, None
        return {"DBInstances": [_instance({}, "available")]}


def _instance(pending: dict[str, str], status: str) -> dict[str, Any]:
    return {"DBInstanceStatus": status, "PendingModifiedValues": pending}


def begun() -> Secrets:
    """Return a secret whose rotation has just been asked for."""
    old = json.dumps({"username": "academy", "password": "old", "host": "db.local"})
    return Secrets({OLD: old}, {OLD: ["AWSCURRENT"], NEW: ["AWSPENDING"]})


def rotation(secrets: Secrets, database: Database, seconds_left: float = 60.0) -> Rotation:
    return Rotation(secrets, database, "db", lambda: seconds_left, lambda seconds: None)


def step(name: str) -> Any:
    return parse({"Step": name, "SecretId": ARN, "ClientRequestToken": NEW})


def password_of(secrets: Secrets, label: str) -> str:
    [version] = [version for version, labels in secrets.labels.items() if label in labels]
    return str(json.loads(secrets.values[version])["password"])


@given(st.lists(st.integers(1, 3), min_size=4, max_size=4))
def test_each_step_may_be_repeated_and_the_end_is_the_same(times: list[int]) -> None:
    secrets, database = begun(), Database(looks=2)
    for name, count in zip(STEPS, times, strict=True):
        for _ in range(count):
            rotation(secrets, database).run(step(name))
    assert secrets.generated == 1
    assert database.password == password_of(secrets, "AWSCURRENT") == "1" * 40
    assert json.loads(secrets.values[NEW])["host"] == "db.local"


def test_a_database_that_takes_too_long_fails_the_step_and_keeps_the_secret() -> None:
    secrets, database = begun(), Database(looks=99)
    for name in ("createSecret", "setSecret"):
        rotation(secrets, database).run(step(name))
    with pytest.raises(NotApplied, match="db has not applied"):
        rotation(secrets, database, seconds_left=3.0).run(step("testSecret"))
    assert password_of(secrets, "AWSCURRENT") == "old"


@pytest.mark.parametrize(
    ("instance", "applying"),
    [
        (_instance({}, "available"), False),
        (_instance({"MasterUserPassword": "****"}, "available"), True),
        (_instance({}, "resetting-master-credentials"), True),
        # Something else that waits is none of ours.
        (_instance({"DBInstanceClass": "db.t4g.small"}, "modifying"), False),
        ({"DBInstanceStatus": "available"}, False),
    ],
)
def test_a_password_is_applied_when_rds_says_so(instance: Any, applying: bool) -> None:
    assert still_applying(instance) is applying


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({}, "lacks Step, SecretId, ClientRequestToken"),
        ({"Step": "dropSecret", "SecretId": ARN, "ClientRequestToken": NEW}, "'dropSecret'"),
    ],
)
def test_an_event_of_another_form_is_refused(event: Any, told: str) -> None:
    with pytest.raises(RotationRefused, match=told):
        parse(event)


@pytest.mark.parametrize(
    ("description", "told"),
    [
        ({}, "not enabled"),
        ({"RotationEnabled": True, "VersionIdsToStages": {OLD: ["AWSCURRENT"]}}, "neither"),
        ({"RotationEnabled": True, "VersionIdsToStages": {NEW: ["AWSPENDING"]}}, "AWSCURRENT"),
    ],
)
def test_a_secret_that_does_not_rotate_is_left_alone(description: Any, told: str) -> None:
    with pytest.raises(RotationRefused, match=told):
        current_version(description, NEW)


def test_no_password_stands_in_a_log_line_or_an_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="lambdas")
    secrets, database = begun(), Database()
    for name in STEPS:
        rotation(secrets, database).run(step(name))
    assert "finishSecret: done" in caplog.text
    assert "1" * 40 not in caplog.text
    broken = begun()
    broken.values[OLD] = "secret but no JSON"
    with pytest.raises(RotationRefused) as refused:
        rotation(broken, database).run(step("createSecret"))
    assert "secret but" not in str(refused.value)
    assert refused.value.__suppress_context__


def test_the_handler_names_the_variable_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DB_INSTANCE", raising=False)
    with pytest.raises(RotationRefused, match="DB_INSTANCE"):
        handler.handler({}, None)


def test_the_calls_are_those_that_aws_knows() -> None:
    """botocore checks the names and types of what RDS is sent."""
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
    rds = boto3.client("rds", region_name="ap-northeast-2", **keys)
    stub = Stubber(rds)
    sent = {"DBInstanceIdentifier": "db", "MasterUserPassword": ANY, "ApplyImmediately": True}
    stub.add_response("modify_db_instance", {}, sent)
    secrets = begun()
    rotation(secrets, Database()).run(step("createSecret"))
    with stub:
        Rotation(secrets, rds, "db", lambda: 60.0, lambda seconds: None).run(step("setSecret"))
    stub.assert_no_pending_responses()
