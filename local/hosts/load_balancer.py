"""Application load balancers that listen: rules, targets and health read from ELBv2's records.

Every listener is served on a loopback port of its own, HTTPS ones with their certificate; the
resource handler refuses other protocols. `load_balancers.json` keeps the ports by balancer's name,
and by `<name>:<listener's port>` those besides the front door.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from botocore.exceptions import ClientError

from local.hosts import Address
from local.hosts.imds import ClientSource
from local.hosts.lb_balancer import Balancer, Listener
from local.hosts.lb_certificates import Certificates
from local.hosts.lb_health import Check, HealthChecks, Target, check_of
from local.hosts.lb_routes import rules_of
from local.hosts.lb_traffic import Traffic
from local.hosts.ports import LOOPBACK, free_port
from local.supervisor import write_json

_LOG = logging.getLogger(__name__)
_REFRESH_S = 1.0
_TICK_S = 0.2

InstancePort = Callable[[str, int], int | None]


class LocalLoadBalancers:
    """The running balancers; implements LoadBalancers. Thread-safe."""

    def __init__(self, state_dir: Path, clients: ClientSource, instance_port: InstancePort) -> None:
        self._ports = state_dir / "load_balancers.json"
        self._clients = clients
        self._instance_port = instance_port
        self._certificates = Certificates(state_dir)
        self._balancers: dict[str, Balancer] = {}
        self._watched: dict[Target, Check] = {}
        self.health = HealthChecks(self.resolve)
        self.traffic = Traffic()
        self._lock = threading.RLock()
        self._reading = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="load-balancers")
        self._thread.start()

    def ensure(self, arn: str) -> str:
        """Return `localhost:<port>` of the balancer; it answers 503 until it has a listener."""
        with self._lock:
            if arn not in self._balancers:
                name = arn.split("/")[-2]
                self._balancers[arn] = Balancer(
                    name, self.next_target, self._port, partial(self.traffic.add, arn)
                )
            return f"localhost:{self._balancers[arn].port}"

    def remove(self, arn: str) -> None:
        """Stop the balancer; one that is gone is fine."""
        with self._lock:
            balancer = self._balancers.pop(arn, None)
        if balancer:
            balancer.close()

    def refresh(self) -> None:
        """Read listeners, rules and targets anew; one reading at a time, so that none is stale."""
        watched: dict[Target, Check] = {}
        with self._reading:
            for arn, balancer in list(self._balancers.items()):
                try:
                    balancer.settle(self._listeners(arn))
                    watched.update(self._targets(balancer.groups))
                except ClientError as error:  # deleted between two readings
                    _LOG.info("load balancer %s: %s", arn, error)
            with self._lock:
                self._watched = watched

    def close(self) -> None:
        """Stop every balancer."""
        self._stopping.set()
        self._thread.join()
        self.health.close()
        for arn in list(self._balancers):
            self.remove(arn)

    def uses(self, group: str) -> bool:
        """Tell whether a listener forwards to a target group."""
        return any(group in balancer.groups for balancer in list(self._balancers.values()))

    def unhealthy(self, group: str) -> frozenset[str]:
        """Return the targets of a target group that fail their check."""
        with self._lock:
            targets = [target for target in self._watched if target.group == group]
        found = ((target.id, self.health.of(target)) for target in targets)
        return frozenset(key for key, health in found if health and health.state == "unhealthy")

    def counted(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Return healthy and unhealthy targets by balancer and target group that it uses."""
        with self._lock:
            targets = list(self._watched)
        states = [(one.group, health.state) for one in targets if (health := self.health.of(one))]
        return {
            (arn, group): (states.count((group, "healthy")), states.count((group, "unhealthy")))
            for arn, balancer in list(self._balancers.items())
            for group in balancer.groups
        }

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

    def _listeners(self, arn: str) -> list[Listener]:
        """Return a balancer's listeners, without those whose certificate is gone."""
        elbv2 = self._clients.client("elbv2")
        found = []
        for described in elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]:
            rules = elbv2.describe_rules(ListenerArn=described["ListenerArn"])["Rules"]
            listener = Listener(int(described["Port"]), rules_of(rules))
            if described["Protocol"] == "HTTPS":
                [certificate] = described["Certificates"]
                tls = self._certificates.context(certificate["CertificateArn"])
                listener = replace(listener, tls=tls)
            if described["Protocol"] == "HTTP" or listener.tls:
                found.append(listener)
        return found

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

    def _port(self, name: str) -> int:
        """Return a port for a door, the one that its name had before if it is free."""
        with self._lock:
            known = json.loads(self._ports.read_text()) if self._ports.exists() else {}
            port = free_port(known.get(name))
            write_json(self._ports, {**known, name: port})
            return port
