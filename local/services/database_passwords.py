"""ModifyDBInstance's new password, which the running server really takes over."""

from __future__ import annotations

from typing import Any

from local.hosts import Databases
from local.protocol import NotOurs
from local.services.autoscaling.sources import ClientSource


class DatabasePasswords:
    """Applies a MasterUserPassword before moto records the call; every other call is moto's.

    It is applied when the call returns: PendingModifiedValues never shows it.
    """

    name = "rds"

    def __init__(self, clients: ClientSource, databases: Databases) -> None:
        self._clients = clients
        self._databases = databases

    def handle(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """Answer nothing. Raises: NotOurs, always; botocore's error for no such instance."""
        if operation == "ModifyDBInstance" and "MasterUserPassword" in params:
            name = params["DBInstanceIdentifier"]
            found = self._clients.client("rds").describe_db_instances(DBInstanceIdentifier=name)
            user = found["DBInstances"][0]["MasterUsername"]
            self._databases.set_password(name, user, params["MasterUserPassword"])
        raise NotOurs
