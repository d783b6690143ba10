"""An account for one handler at a time: moto in process, and hosts that only hand out addresses."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from moto.core.request import Request
from moto.moto_api._internal.models import moto_api_backend
from moto.server import DomainDispatcherApplication, create_backend_app

from local.clients import ACCOUNT, REGION, Clients
from local.clock import ManualClock
from local.hosts import Address, Hosts, Invocation
from local.protocol import Service, respond
from local.resources import handler_for
from local.resources.base import Applied, Context
from local.services import moto_repairs
from local.services.autoscaling.service import AutoScalingService
from local.services.elasticache import ElastiCache


@dataclass
class FakeHosts:
    """Remembers what runs; databases by identifier with their credentials."""

    databases_running: dict[str, dict[str, Any]] = field(default_factory=dict)
    caches_running: set[str] = field(default_factory=set)
    balancers_running: set[str] = field(default_factory=set)
    function: Any = None

    def hosts(self) -> Hosts:
        """Return the parts."""
        return Hosts(
            databases=cast(Any, _Databases(self.databases_running)),
            caches=cast(Any, _Caches(self.caches_running)),
            functions=cast(Any, _Functions(self)),
            load_balancers=cast(Any, _Balancers(self.balancers_running)),
        )


@dataclass
class _Databases:
    running: dict[str, dict[str, Any]]

    def ensure(self, identifier: str, **credentials: Any) -> Address:
        self.running[identifier] = credentials
        return Address("localhost", 15432)

    def configure(self, identifier: str, parameters: Mapping[str, str]) -> None:
        self.running[identifier]["parameters"] = dict(parameters)

    def set_password(self, identifier: str, user: str, password: str) -> None:
        self.running[identifier] |= {"user": user, "password": password}

    def remove(self, identifier: str) -> None:
        self.running.pop(identifier, None)


@dataclass
class _Caches:
    running: set[str]

    def ensure(self, identifier: str) -> Address:
        self.running.add(identifier)
        return Address("localhost", 16379)

    def remove(self, identifier: str) -> None:
        self.running.discard(identifier)


@dataclass
class _Balancers:
    running: set[str]

    def ensure(self, arn: str) -> str:
        self.running.add(arn)
        return "localhost:18080"

    def remove(self, arn: str) -> None:
        self.running.discard(arn)

    def refresh(self) -> None:
        """Nothing listens."""


@dataclass
class _Functions:
    owner: FakeHosts

    def invoke(self, name_or_arn: str, event: Mapping[str, Any]) -> Invocation:
        return cast(Invocation, self.owner.function(event))


@dataclass
class _World:
    """The one application of a test process; its state is emptied for each account."""

    services: tuple[Service, ...] = ()

    def __call__(self, environ: Any, start: Any) -> Any:
        for service in self.services:
            if f"/{service.name}/" in environ.get("HTTP_AUTHORIZATION", ""):
                return respond(service, Request(environ))(environ, start)
        return _moto()(environ, start)


_WORLD = _World()


@functools.cache
def _moto() -> Any:
    moto_repairs.apply()
    return DomainDispatcherApplication(create_backend_app)


@functools.cache
def _clients() -> Clients:
    return Clients(_WORLD)


class Account:
    """Creates, updates and deletes single resources as the engine would. One at a time lives."""

    def __init__(self) -> None:
        moto_api_backend.reset()
        self.fakes = FakeHosts()
        self._hosts = self.fakes.hosts()
        self.clients = _clients()
        clock = ManualClock(0)
        _WORLD.services = (
            ElastiCache(account=ACCOUNT, region=REGION, caches=self._hosts.caches),
            AutoScalingService(clock, account=ACCOUNT, region=REGION, clients=self.clients),
        )

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service."""
        return self.clients.client(service)

    def context(self, type_name: str, logical_id: str, **more: Any) -> Context:
        """Return the context of one resource."""
        return Context(
            clients=self.clients,
            account=ACCOUNT,
            region=REGION,
            stack_name="stack",
            stack_id="arn:aws:cloudformation:stack",
            logical_id=logical_id,
            hosts=self._hosts,
            endpoint="http://localhost:80",
            type_name=type_name,
            **more,
        )

    def create(self, type_name: str, logical_id: str = "It", **properties: Any) -> Applied:
        """Create a resource."""
        context = self.context(type_name, logical_id)
        return handler_for(type_name).create(context, properties)

    def update(
        self, type_name: str, made: Applied, old: Any, new: Any, logical_id: str = "It", **more: Any
    ) -> Applied:
        """Update a resource; `more` goes to its context."""
        context = self.context(type_name, logical_id, **more)
        return handler_for(type_name).update(context, made.physical_id, old, new)

    def delete(self, type_name: str, made: Applied, **properties: Any) -> None:
        """Delete a resource."""
        context = self.context(type_name, "It")
        handler_for(type_name).delete(context, made.physical_id, properties)
