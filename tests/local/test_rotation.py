"""A rotation changes the password of the PostgreSQL that runs, through the function that ships."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from botocore.exceptions import ClientError

from lambdas.database_password.request import parse
from lambdas.database_password.steps import Rotation
from local.clients import ACCOUNT, REGION
from local.clock import ManualClock
from local.hosts import Hosts, Invocation
from local.hosts.database import PostgresServers
from local.hosts.ports import free_port
from local.resources import handler_for
from local.resources.base import Context
from local.server import EmbeddedAws, build
from local.supervisor import Supervisor
from tests.local.waiting import until
from tests.unit.api.servers import ENVIRONMENT

#: A process of a platform that connects, is told to do it once more, and then ends.
WORKER = """
import os
from worker_images.base.database import open_database
from worker_images.base.settings import database_settings
opened = open_database(database_settings(os.environ))
def ask():
    with opened.cursor() as cursor:
        return cursor.execute("SELECT 1").fetchone()[0]
print(ask(), flush=True)
input()
print(ask(), flush=True)
opened.close()
print(ask(), flush=True)
"""
API = """
import django
django.setup()
from django.db import connection
def ask():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone()[0]
print(ask(), flush=True)
input()
print(ask(), flush=True)
connection.close()
print(ask(), flush=True)
"""
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:rotate"
DAY_S = 86400


@dataclass
class Estate:
    """A database as CloudFormation makes it, its secret, and failures to come, by step."""

    aws: EmbeddedAws
    clock: ManualClock
    secret: str
    address: Any
    failures: list[str]

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service."""
        return self.aws.clients.client(service)

    def password(self, stage: str = "AWSCURRENT") -> str:
        """Return the secret's password."""
        found = self.client("secretsmanager").get_secret_value(
            SecretId=self.secret, VersionStage=stage
        )
        return str(json.loads(found["SecretString"])["password"])

    def session(self, password: str) -> psycopg.Connection[Any]:
        """Log in as the platform does."""
        return psycopg.connect(
            host=self.address.host, port=self.address.port, user="academy", password=password,
            dbname="academy", autocommit=True, connect_timeout=5,
        )  # fmt: skip

    def rotate(self) -> None:
        """Ask for a rotation and wait for its end."""
        before = self.password()
        until(self.ask)
        until(lambda: self.password() != before)

    def ask(self) -> bool:
        """Ask for a rotation; False while another one (the schedule's first trial) ends."""
        try:
            self.client("secretsmanager").rotate_secret(SecretId=self.secret)
        except ClientError as error:
            assert "in progress" in str(error)
            return False
        return True


@pytest.fixture
def estate(tmp_path: Any) -> Iterator[Estate]:
    """A database with its rotation schedule; PostgreSQL really runs, Lambda does not."""
    clock, supervisor, failures = ManualClock(), Supervisor(tmp_path), []
    made: list[EmbeddedAws] = []

    def invoke(name: str, event: Any) -> Invocation:
        assert name == FUNCTION
        if event["Step"] in failures:
            failures.remove(event["Step"])
            return Invocation({"errorMessage": "once"}, "Unhandled", "")
        client = made[0].clients.client
        rotation = Rotation(
            secrets=client("secretsmanager"),
            rds=client("rds"),
            instance="db",
            seconds_left=lambda: 60.0,
            sleep=lambda seconds: None,
        )
        rotation.run(parse(event))
        return Invocation(None, None, "")

    hosts = Hosts(
        databases=PostgresServers(tmp_path, supervisor),
        functions=SimpleNamespace(invoke=invoke),  # type: ignore[arg-type]
    )
    made.append(build(port=free_port(None), clock=clock, make_hosts=lambda around: hosts))
    made[0].start()
    secrets = made[0].clients.client("secretsmanager")
    secret = secrets.create_secret(
        Name="db", SecretString=json.dumps({"username": "academy", "password": "first"})
    )["ARN"]
    creator = _creator(made[0], hosts)
    creator("AWS::RDS::DBParameterGroup", Description="d", Family="postgres16", Parameters={
        "log_min_duration_statement": "250", "max_connections": "42", "rds.force_ssl": "0"},
        DBParameterGroupName="group",
    )  # fmt: skip
    database = creator(
        "AWS::RDS::DBInstance",
        DBInstanceIdentifier="db",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage="20",
        DBName="academy",
        Engine="postgres",
        MasterUsername="academy",
        MasterUserPassword="first",
        DBParameterGroupName="group",
    )
    creator(
        "AWS::SecretsManager::RotationSchedule",
        SecretId=secret,
        RotationLambdaARN=FUNCTION,
        RotationRules={"AutomaticallyAfterDays": 30},
        RotateImmediatelyOnUpdate=False,
    )
    address = SimpleNamespace(
        host=database["Endpoint.Address"], port=int(database["Endpoint.Port"])
    )
    yield Estate(made[0], clock, secret, address, failures)
    made[0].stop()
    supervisor.stop_all()


def _creator(aws: EmbeddedAws, hosts: Hosts) -> Callable[..., Any]:
    def create(type_name: str, **properties: Any) -> Any:
        context = Context(
            clients=aws.clients,
            account=ACCOUNT,
            region=REGION,
            stack_name="stack",
            stack_id="arn:aws:cloudformation:stack",
            logical_id="It",
            hosts=hosts,
            endpoint=aws.endpoint,
            type_name=type_name,
        )
        return handler_for(type_name).create(context, properties).attributes

    return create


def test_a_rotation_ends_the_old_password_and_no_open_session(estate: Estate) -> None:
    open_session = estate.session("first")
    estate.rotate()
    assert estate.session(estate.password()).execute("SELECT 1").fetchone() == (1,)
    assert estate.password("AWSPREVIOUS") == "first"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        estate.session("first")
    assert open_session.execute("SELECT 1").fetchone() == (1,)


def test_the_schedule_alone_changes_nothing_until_its_day(estate: Estate) -> None:
    rotations = estate.aws.services["secretsmanager"]
    rotations.tick(estate.clock.now())  # type: ignore[attr-defined]
    assert estate.password() == "first"
    estate.clock.advance(30 * DAY_S)
    until(
        lambda: (
            rotations.tick(estate.clock.now()),  # type: ignore[attr-defined]
            estate.password() != "first",
        )[1]
    )
    assert estate.session(estate.password())


@pytest.mark.parametrize("step", ["createSecret", "setSecret", "testSecret", "finishSecret"])
def test_a_step_that_failed_once_is_repeated(estate: Estate, step: str) -> None:
    estate.failures.append(step)
    estate.rotate()
    assert estate.failures == []
    assert estate.session(estate.password())


def test_a_rotation_that_stopped_half_way_is_taken_up_again(estate: Estate) -> None:
    estate.failures += ["finishSecret"] * 3
    until(estate.ask)
    until(lambda: not estate.failures)
    # The database has the new password already; a client that reads AWSPENDING gets in.
    half_way = estate.password("AWSPENDING")
    assert estate.password() == "first"
    assert estate.session(half_way)

    estate.rotate()
    assert estate.password() == half_way


def test_the_parameter_group_is_what_the_server_runs_with(estate: Estate) -> None:
    session = estate.session("first")
    shown = [
        session.execute(f"SHOW {name}").fetchone()
        for name in ("max_connections", "log_min_duration_statement")
    ]
    assert shown == [("42",), ("250ms",)]


@pytest.mark.parametrize("program", [WORKER, API], ids=["worker", "api"])
def test_a_process_that_runs_goes_on_and_connects_again(estate: Estate, program: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={
            **ENVIRONMENT,
            "PATH": os.environ["PATH"],
            "DB_HOST": estate.address.host,
            "DB_PORT": str(estate.address.port),
            "DB_NAME": "academy",
            "DB_PASSWORD": "first",
            "DB_SECRET_ARN": estate.secret,
            "AWS_ENDPOINT_URL": estate.aws.endpoint,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        },
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "1\n"
    estate.rotate()
    output, _ = process.communicate("go on\n", timeout=60)
    assert process.returncode == 0, output
    assert [line for line in output.splitlines() if line == "1"] == ["1", "1"]
    assert estate.password() not in output
