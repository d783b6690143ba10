"""What really runs behind the records of the embedded AWS: databases, caches, functions, balancers.

The parts are protocols, so that the resource handlers need none of them to be tested.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, cast


class Address(NamedTuple):
    """Where a server listens, on loopback."""

    host: str
    port: int


class Invocation(NamedTuple):
    """A function's answer: the JSON payload, the kind of error (None if it succeeded), its log."""

    payload: Any
    error: str | None
    logs: str


class Databases(Protocol):
    """PostgreSQL servers, one per RDS instance."""

    def ensure(
        self,
        identifier: str,
        *,
        user: str,
        password: str,
        db_name: str,
        port: int | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> Address:
        """Return the address of the running server, made when it is not there yet."""

    def configure(self, identifier: str, parameters: Mapping[str, str]) -> None:
        """Give the server other parameters of PostgreSQL."""

    def set_password(self, identifier: str, user: str, password: str) -> None:
        """Change the master user's password."""

    def remove(self, identifier: str) -> None:
        """Stop the server and delete its data; one that is gone is fine."""


class Caches(Protocol):
    """Redis servers, one per ElastiCache replication group or cluster."""

    def ensure(self, identifier: str) -> Address:
        """Return the address of the running server, made when it is not there yet."""

    def remove(self, identifier: str) -> None:
        """Stop the server; one that is gone is fine."""


class Functions(Protocol):
    """Lambda functions, the deployed zip really executed."""

    def invoke(self, name_or_arn: str, event: Mapping[str, Any]) -> Invocation:
        """Run the function and wait for its answer."""


class LoadBalancers(Protocol):
    """HTTP proxies, one per application load balancer."""

    def ensure(self, arn: str) -> str:
        """Return `localhost:<port>` of the balancer, started when it is not there yet."""

    def remove(self, arn: str) -> None:
        """Stop the balancer; one that is gone is fine."""

    def refresh(self) -> None:
        """Read listeners, rules and targets anew."""


class Instances(Protocol):
    """EC2 instances of Auto Scaling groups: processes that run the user data. None may block."""

    def ensure(
        self,
        instance_id: str,
        *,
        user_data: str,
        tags: Mapping[str, str],
        profile_role: str | None,
    ) -> None:
        """Boot the instance unless it was booted before.

        `user_data` is the decoded script, `profile_role` the name of its profile's role.
        """

    def stop(self, instance_id: str, grace_s: float) -> None:
        """Begin to end it: TERM, after `grace_s` KILL; one that is gone is fine."""

    def halt(self, instance_id: str, grace_s: float) -> None:
        """Begin to stop it as `stop` does, to be started again: what it has written stays."""

    def start(self, instance_id: str) -> None:
        """Boot an instance that was halted and stands still."""

    def runs(self, instance_id: str) -> bool:
        """Say whether it runs, or is still being stopped."""

    def ended(self) -> list[str]:
        """Return the instances that ended by themselves since the last call."""

    def cpu_s(self, instance_id: str) -> float | None:
        """Return the CPU seconds that it has used since its boot; None when it does not run."""


class HostMissingError(RuntimeError):
    """Something asked for a host that this embedded AWS was built without."""


class _Absent:
    def __init__(self, part: str) -> None:
        self._part = part

    def __getattr__(self, name: str) -> Any:
        raise HostMissingError(
            f"hosts.{self._part}.{name} was called, but this embedded AWS has no {self._part}"
        )


@dataclass(frozen=True)
class Hosts:
    """The parts; one that is left out raises HostMissingError when something calls it."""

    databases: Databases = field(default_factory=lambda: cast(Databases, _Absent("databases")))
    caches: Caches = field(default_factory=lambda: cast(Caches, _Absent("caches")))
    functions: Functions = field(default_factory=lambda: cast(Functions, _Absent("functions")))
    load_balancers: LoadBalancers = field(
        default_factory=lambda: cast(LoadBalancers, _Absent("load_balancers"))
    )
    instances: Instances = field(default_factory=lambda: cast(Instances, _Absent("instances")))
