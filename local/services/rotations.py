"""Secrets Manager's rotation: the function is really called, when asked for and when it is due."""

from __future__ import annotations

import logging
import threading
import uuid
from dataclasses import dataclass
from typing import Any

from moto.secretsmanager.models import secretsmanager_backends

from local.clock import Clock
from local.hosts import Functions
from local.protocol import NotOurs, ServiceError

_log = logging.getLogger(__name__)
_STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
_TRIES = 3
_DAY_S = 86400.0


@dataclass
class _Schedule:
    """Which function rotates a secret, each how many days (0 never), and when next."""

    function: str
    days: int
    due_at: float = float("inf")

    def begin(self, now: float) -> None:
        """Count the days from `now` (epoch seconds)."""
        self.due_at = now + self.days * _DAY_S if self.days else float("inf")


class Rotations:
    """RotateSecret and CancelRotateSecret; everything else of Secrets Manager is moto's.

    As in AWS the call returns at once and the steps follow, each tried three times. A rotation that
    failed leaves its version AWSPENDING, and the next one takes that version up again.
    """

    name = "secretsmanager"

    def __init__(self, clock: Clock, *, account: str, region: str, functions: Functions) -> None:
        self._clock = clock
        self._place = account, region
        self._functions = functions
        self._schedules: dict[str, _Schedule] = {}
        self._busy: set[str] = set()
        self._lock = threading.RLock()

    def handle(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """Answer an operation. Raises: ServiceError; NotOurs."""
        if operation not in {"RotateSecret", "CancelRotateSecret"}:
            raise NotOurs
        secret = self._secret(params["SecretId"])
        if operation == "CancelRotateSecret":
            self._schedules.pop(secret.arn, None)
            secret.rotation_enabled = False
            return {"ARN": secret.arn, "Name": secret.name}
        self._configure(secret, params)
        version = self._begin(secret, immediately=params.get("RotateImmediately", True))
        return {"ARN": secret.arn, "Name": secret.name, "VersionId": version}

    def tick(self, now: float) -> None:
        """Rotate what is due."""
        for arn, schedule in list(self._schedules.items()):
            if arn not in self._known():
                del self._schedules[arn]
            elif now >= schedule.due_at and arn not in self._busy:
                self._begin(self._secret(arn), immediately=True)

    def _known(self) -> Any:
        account, region = self._place
        return secretsmanager_backends[account][region].secrets

    def _secret(self, identifier: str) -> Any:
        if identifier not in self._known():
            raise ServiceError(
                "ResourceNotFoundException", "Secrets Manager can't find the specified secret."
            )
        return self._known()[identifier]

    def _configure(self, secret: Any, params: dict[str, Any]) -> None:
        rules = params.get("RotationRules", {})
        if unknown := sorted(rules.keys() - {"AutomaticallyAfterDays"}):
            raise ServiceError("InvalidParameterException", f"RotationRules: not played: {unknown}")
        known = self._schedules.get(secret.arn)
        function = params.get("RotationLambdaARN") or (known.function if known else None)
        if function is None:
            raise ServiceError(
                "InvalidRequestException", "No Lambda rotation function ARN is given"
            )
        days = rules.get("AutomaticallyAfterDays", known.days if known else 0)
        schedule = self._schedules[secret.arn] = _Schedule(function, days)
        secret.rotation_requested = secret.rotation_enabled = True
        secret.rotation_lambda_arn, secret.auto_rotate_after_days = function, days
        self._count(secret, schedule)

    def _count(self, secret: Any, schedule: _Schedule) -> None:
        schedule.begin(self._clock.now())
        secret.next_rotation_date = int(schedule.due_at) if schedule.days else None

    def _begin(self, secret: Any, *, immediately: bool) -> str:
        """Start a rotation, or the trial of the function that takes its place, in a thread."""
        with self._lock:
            if secret.arn in self._busy:
                raise ServiceError("InvalidRequestException", "A rotation is in progress")
            self._busy.add(secret.arn)
        unfinished = _pending(secret)
        version = unfinished or self._add_version(secret, with_value=not immediately)
        run = self._rotate if immediately or unfinished else self._try
        threading.Thread(
            target=run, args=(secret, version), daemon=True, name=f"rotate {secret.name}"
        ).start()
        return version

    def _add_version(self, secret: Any, *, with_value: bool) -> str:
        """Add a version that is AWSPENDING, a copy of the current one for a trial."""
        version = str(uuid.uuid4())
        entry = {"createdate": int(self._clock.now()), "version_id": version}
        if with_value:
            entry["secret_string"] = secret.versions[secret.default_version_id]["secret_string"]
        secret.versions[version] = {**entry, "version_stages": ["AWSPENDING"]}
        return version

    def _rotate(self, secret: Any, version: str) -> None:
        try:
            if all(self._step(secret, version, step) for step in _STEPS):
                secret.last_rotation_date = int(self._clock.now())
            self._count(secret, self._schedules[secret.arn])
        finally:
            self._busy.discard(secret.arn)

    def _try(self, secret: Any, version: str) -> None:
        """Call the function's test alone, and forget the version that was made for it."""
        try:
            self._step(secret, version, "testSecret")
            del secret.versions[version]
        finally:
            self._busy.discard(secret.arn)

    def _step(self, secret: Any, version: str, step: str) -> bool:
        event = {"Step": step, "SecretId": secret.arn, "ClientRequestToken": version}
        for _ in range(_TRIES):
            answer = self._functions.invoke(self._schedules[secret.arn].function, event)
            if not answer.error:
                return True
            _log.error("rotation of %s: %s failed: %s", secret.name, step, answer.payload)
        return False


def _pending(secret: Any) -> str | None:
    """Return the version that an unfinished rotation left."""
    for version, entry in secret.versions.items():
        if "AWSPENDING" in entry["version_stages"] and "AWSCURRENT" not in entry["version_stages"]:
            return str(version)
    return None
