"""The database's password, read again from its secret when the server refuses it.

A rotation changes it under processes that run for hours. Between the moment in which the server
takes the new one and the moment in which the secret calls it current, it is the pending one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import boto3
import psycopg
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from worker_images.base.logging import hide, logger
from worker_images.base.settings import DatabaseSettings

_log = logger("password")
_STAGES = ("AWSCURRENT", "AWSPENDING")
#: psycopg gives a refusal at connect no SQLSTATE, the server's text alone (28P01's).
_REFUSAL = "password authentication failed"
_CONFIG = Config(
    connect_timeout=2, read_timeout=4, retries={"mode": "standard", "total_max_attempts": 2}
)

Connection = TypeVar("Connection")


class Password:
    """The password that worked last, shared by a process's threads.

    `read` returns the password of a stage of the secret, None where the stage has none.
    """

    def __init__(self, known: str, read: Callable[[str], str | None]) -> None:
        self._known = known
        self._read = read

    def connect(self, attempt: Callable[[str], Connection]) -> Connection:
        """Return what `attempt` makes of the password, tried anew with what the secret says.

        Raises: psycopg.OperationalError, the server's refusal when the secret knows no better.
        """
        tried = self._known
        try:
            return attempt(tried)
        except psycopg.OperationalError as error:
            if _REFUSAL not in str(error):
                raise
            refusal = error
        for candidate in self._others(tried):
            try:
                made = attempt(candidate)
            except psycopg.OperationalError as error:
                if _REFUSAL not in str(error):
                    raise
                continue
            self._known = candidate
            _log.info("database password was rotated: the new one is in use")
            return made
        raise refusal

    def _others(self, tried: str) -> Iterator[str]:
        """Yield the passwords that differ from those tried: another thread's, then the secret's."""
        seen = {tried}
        for read in (lambda: self._known, *(self._reader(stage) for stage in _STAGES)):
            found = read()
            if found and found not in seen:
                seen.add(found)
                hide(found)
                yield found

    def _reader(self, stage: str) -> Callable[[], str | None]:
        def read() -> str | None:
            try:
                return self._read(stage)
            except (BotoCoreError, ClientError) as error:
                _log.warning("secret of the database not read", stage=stage, error=repr(error))
                return None

        return read


def database_password(settings: DatabaseSettings) -> Password:
    """Return the settings' password, followed through the secret that it came from."""

    def read(stage: str) -> str | None:
        client = boto3.client("secretsmanager", region_name=settings.region, config=_CONFIG)
        try:
            found = client.get_secret_value(SecretId=settings.secret_arn, VersionStage=stage)
        except client.exceptions.ResourceNotFoundException:
            return None
        return _password(found["SecretString"])

    return Password(settings.password, read)


def _password(text: str) -> str | None:
    """Return the password in a secret's JSON. The text is in no error and no log line."""
    try:
        fields: Any = json.loads(text)
    except json.JSONDecodeError:
        return None
    found = fields.get("password") if isinstance(fields, dict) else None
    return found if isinstance(found, str) else None
