"""The four steps. Each can be repeated; Secrets Manager does so when one has failed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lambdas.database_password.request import (
    Request,
    RotationRefused,
    current_version,
    still_applying,
)

log = logging.getLogger(__name__)

#: RDS takes 8 to 128 printable characters, none of them `/`, `"`, `@` or a blank; an environment
#: file takes what is on one line. Letters and digits suit both.
PASSWORD = {"PasswordLength": 40, "ExcludePunctuation": True}
LOOK_EVERY_S = 3.0


class NotApplied(RuntimeError):  # noqa: N818 - a state of the database
    """RDS has not applied the password in time; the step is to be tried again."""


@dataclass(frozen=True)
class Rotation:
    """Rotates the master password of one RDS instance.

    `secrets` and `rds` are boto3 clients; `seconds_left` says how long the function may still run.
    """

    secrets: Any
    rds: Any
    instance: str
    seconds_left: Callable[[], float]
    sleep: Callable[[float], None]

    def run(self, request: Request) -> None:
        """Do the step that is asked for. Raises: RotationRefused, NotApplied, botocore's errors."""
        description = self.secrets.describe_secret(SecretId=request.secret)
        current = current_version(description, request.version)
        if current == request.version:
            log.info("%s: version %s is current already", request.step, request.version)
            return
        step = {
            "createSecret": self._create,
            "setSecret": self._set,
            "testSecret": self._test,
            "finishSecret": self._finish,
        }[request.step]
        step(request, current)
        log.info("%s: done for version %s", request.step, request.version)

    def _create(self, request: Request, current: str) -> None:
        """Store a random password beside what else the current version says, as AWSPENDING."""
        try:
            self._pending(request)
            return
        except self.secrets.exceptions.ResourceNotFoundException:
            fields = self._fields(request.secret, VersionId=current, VersionStage="AWSCURRENT")
        fields["password"] = self.secrets.get_random_password(**PASSWORD)["RandomPassword"]
        self.secrets.put_secret_value(
            SecretId=request.secret,
            ClientRequestToken=request.version,
            SecretString=json.dumps(fields),
            VersionStages=["AWSPENDING"],
        )

    def _set(self, request: Request, current: str) -> None:
        self.rds.modify_db_instance(
            DBInstanceIdentifier=self.instance,
            MasterUserPassword=self._pending(request)["password"],
            ApplyImmediately=True,
        )

    def _test(self, request: Request, current: str) -> None:
        """Wait until RDS says that it has applied the password."""
        while self._applying():
            if self.seconds_left() < 2 * LOOK_EVERY_S:
                raise NotApplied(f"{self.instance} has not applied its new password yet")
            self.sleep(LOOK_EVERY_S)

    def _finish(self, request: Request, current: str) -> None:
        self.secrets.update_secret_version_stage(
            SecretId=request.secret,
            VersionStage="AWSCURRENT",
            MoveToVersionId=request.version,
            RemoveFromVersionId=current,
        )

    def _applying(self) -> bool:
        found = self.rds.describe_db_instances(DBInstanceIdentifier=self.instance)["DBInstances"]
        return still_applying(found[0])

    def _pending(self, request: Request) -> dict[str, Any]:
        return self._fields(request.secret, VersionId=request.version, VersionStage="AWSPENDING")

    def _fields(self, secret: str, **version: str) -> dict[str, Any]:
        """Return a version's JSON. Raises: RotationRefused when it is no credentials."""
        text = self.secrets.get_secret_value(SecretId=secret, **version)["SecretString"]
        try:
            fields = json.loads(text)
        except json.JSONDecodeError:
            fields = None
        if not isinstance(fields, dict) or not fields.get("password"):
            raise RotationRefused(f"{version['VersionStage']} is no JSON with a password") from None
        return fields
