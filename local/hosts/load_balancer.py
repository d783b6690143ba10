"""Application load balancers that listen: rules, targets and health read from ELBv2's records.

A balancer's first HTTP listener is served on its loopback port. Listeners of other protocols stay
records: the local environment has none.
"""

from __future__ import annotations

import json
import logging
import random
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from moto.elbv2.models import elbv2_backends

from local.clients import ACCOUNT, REGION
from local.hosts import Address
from local.hosts.imds import ClientSource
from local.hosts.lb_health import Check, Health, HealthChecks, Target, check_of
from local.hosts.lb_proxy import ProxyServer
from local.hosts.lb_routes import Asked, Rule, chosen, rules_of, target_groups, weights
from local.hosts.ports import LOOPBACK, free_port
from local.protocol import NotOurs
from local.supervisor import write_json

_LOG = logging.getLogger(__name__)
_REFRESH_S = 1.0
_TICK_S = 0.2

InstancePort = Callable[[str, int], int | None]


class _Balancer:
    """One balancer's rules and its turn among targets; the proxy's Router."""

    def __init__(self, arn: str, hosts: LocalLoadBalancers) -> None:
        self.arn = arn
        self._hosts = hosts
        self._turn = 0
        self.rules: tuple[Rule, ...] = ()

    def action(self, asked: Asked) -> Mapping[str, Any] | None:
        """Return the action of the rule that matches, None without a listener."""
        return chosen(self.rules, asked)

    def target(self, action: Mapping[str, Any]) -> Address | None:
        """Return the next target in turn: a healthy one, else any that failed (ELB's fail-open)."""
        groups = weights(action)
        [group] = random.choices(list(groups), list(groups.values()))  # noqa: S311 (no secret)
        self._turn += 1
        return self._hosts.next_target(group, self._turn)


class LocalLoadBalancers:
    """The running balancers; implements LoadBalancers. Thread-safe."""

    def __init__(self, state_dir: Path, clients: ClientSource, instance_port: InstancePort) -> None:
        self._ports = state_dir / "load_balancers.json"
        self._clients = clients
        self._instance_port = instance_port
        self._servers: dict[str, tuple[ProxyServer, _Balancer]] = {}
        self._watched: dict[Target, Check] = {}
        self.health = HealthChecks(self.resolve)
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="load-balancers")
        self._thread.start()

    def ensure(self, arn: str) -> str:
        """Return `localhost:<port>` of the balancer; it answers 503 until it has a listener."""
        with self._lock:
            if arn not in self._servers:
                balancer = _Balancer(arn, self)
                server = ProxyServer(self._port(arn), balancer)
                serve = threading.Thread(target=server.serve_forever, daemon=True, name=arn[-40:])
                serve.start()
                self._servers[arn] = (server, balancer)
            return f"localhost:{self._servers[arn][0].server_address[1]}"

    def remove(self, arn: str) -> None:
        """Stop the balancer; one that is gone is fine."""
        with self._lock:
            server, _ = self._servers.pop(arn, (None, None))
        if server:
            server.shutdown()
            server.server_close()

    def refresh(self) -> None:
        """Read listeners, rules and targets anew."""
        watched: dict[Target, Check] = {}
        for _, balancer in list(self._servers.values()):
            try:
                balancer.rules = self._rules(balancer.arn)
                watched.update(self._targets(target_groups(balancer.rules)))
            except ClientError as error:  # deleted between two readings
                _LOG.info("load balancer %s: %s", balancer.arn, error)
        with self._lock:
            self._watched = watched

    def close(self) -> None:
        """Stop every balancer."""
        self._stopping.set()
        self._thread.join()
        self.health.close()
        for arn in list(self._servers):
            self.remove(arn)

    def uses(self, group: str) -> bool:
        """Tell whether a listener forwards to a target group."""
        balancers = [balancer for _, balancer in list(self._servers.values())]
        return any(group in target_groups(balancer.rules) for balancer in balancers)

    def unhealthy(self, group: str) -> frozenset[str]:
        """Return the targets of a target group that fail their check."""
        with self._lock:
            targets = [target for target in self._watched if target.group == group]
        found = ((target.id, self.health.of(target)) for target in targets)
        return frozenset(key for key, health in found if health and health.state == "unhealthy")

    def next_target(self, group: str, turn: int) -> Address | None:
        """Return the address of a group's target number `turn`, counted round."""
        with self._lock:
            targets = [target for target in self._watched if target.group == group]
        for state in ("healthy", "unhealthy"):
            usable = [one for one in targets if (h := self.health.of(one)) and h.state == state]
            found = [address for one in usable if (address := self.resolve(one.id, one.port))]
            if found:
                return found[turn % len(found)]
        return None

    def resolve(self, target_id: str, port: int) -> Address | None:
        """Return where a target listens: an instance through its published port, an IP as is."""
        if not target_id.startswith("i-"):
            return Address(target_id, port)
        local = self._instance_port(target_id, port)
        return Address(LOOPBACK, local) if local else None

    def _run(self) -> None:
        waited = _REFRESH_S
        while not self._stopping.wait(_TICK_S):
            waited += _TICK_S
            try:
                if waited >= _REFRESH_S:
                    self.refresh()
                    waited = 0.0
                with self._lock:
                    watched = dict(self._watched)
                self.health.tick(watched)
            except Exception:
                _LOG.exception("load balancers")

    def _rules(self, arn: str) -> tuple[Rule, ...]:
        elbv2 = self._clients.client("elbv2")
        listeners = elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]
        plain = sorted(
            (one for one in listeners if one["Protocol"] == "HTTP"),
            key=lambda one: int(one["Port"]),
        )
        if not plain:
            return ()
        return rules_of(elbv2.describe_rules(ListenerArn=plain[0]["ListenerArn"])["Rules"])

    def _targets(self, groups: set[str]) -> dict[Target, Check]:
        if not groups:
            return {}
        elbv2 = self._clients.client("elbv2")
        found: dict[Target, Check] = {}
        for group in elbv2.describe_target_groups(TargetGroupArns=sorted(groups))["TargetGroups"]:
            arn = group["TargetGroupArn"]
            health = elbv2.describe_target_health(TargetGroupArn=arn)
            for described in health["TargetHealthDescriptions"]:
                target = described["Target"]
                found[Target(arn, target["Id"], int(target["Port"]))] = check_of(group)
        return found

    def _port(self, arn: str) -> int:
        """Return a port for a balancer, the one that its name had before if it is free."""
        name = arn.split("/")[-2]
        known = json.loads(self._ports.read_text()) if self._ports.exists() else {}
        port = free_port(known.get(name))
        write_json(self._ports, {**known, name: port})
        return port


class TargetHealth:
    """DescribeTargetHealth with the health that was really checked; the rest of ELBv2 is moto's."""

    name = "elbv2"

    def __init__(self, balancers: LocalLoadBalancers) -> None:
        self._balancers = balancers

    def handle(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """Answer DescribeTargetHealth of a group that exists.

        Raises: NotOurs for everything else.
        """
        backend = elbv2_backends[ACCOUNT][REGION]
        group = backend.target_groups.get(params.get("TargetGroupArn", ""))
        if operation != "DescribeTargetHealth" or group is None:
            raise NotOurs
        found = backend.describe_target_health(group.arn, params.get("Targets") or [])
        answers = [self._described(group, one) for one in found]
        return {"TargetHealthDescriptions": answers}

    def _described(self, group: Any, status: Any) -> dict[str, Any]:
        target = Target(group.arn, status.instance_id, int(status.port))
        state: dict[str, Any] = {key: v for key, v in status.target_health.items() if v}
        if status.instance_id in group.targets:
            health = self._balancers.health.of(target) or Health()
            if not self._balancers.uses(group.arn):
                state = {"State": "unused", "Reason": "Target.NotInUse"}
                state["Description"] = "Target group is not configured to receive traffic"
            else:
                state = {"State": health.state}
                state |= {"Reason": health.reason} if health.reason else {}
                state |= {"Description": health.description} if health.description else {}
        return {
            "Target": {"Id": target.id, "Port": target.port},
            "HealthCheckPort": str(status.health_check_port or target.port),
            "TargetHealth": state,
        }
