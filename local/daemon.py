"""The process that is the embedded AWS: every part put together, until SIGTERM."""

from __future__ import annotations

import logging
import signal
import threading
from dataclasses import dataclass
from pathlib import Path

from local.clients import ACCOUNT, REGION
from local.clock import SystemClock
from local.control.assembly import controllers
from local.control.loop import Loop
from local.hosts import Hosts
from local.hosts.boot_faults import PATH as BOOTS_PATH
from local.hosts.boot_faults import BootFaults
from local.hosts.cache import RedisServers
from local.hosts.database import PostgresServers
from local.hosts.function import LambdaFunctions
from local.hosts.function_api import LambdaInvocations
from local.hosts.imds import PREFIX, Imds
from local.hosts.instances import LocalInstances
from local.hosts.lb_target_health import TargetHealth
from local.hosts.load_balancer import LocalLoadBalancers
from local.hosts.registry_images import RegistryImages
from local.hosts.spot import PATH as SPOT_PATH
from local.hosts.spot import SpotNotices
from local.images import images_directory
from local.server import SERVICES, EmbeddedAws, Surroundings, build
from local.services.autoscaling.service import AutoScalingService
from local.services.rotations import Rotations
from local.services.sqs.service import SqsService
from local.supervisor import Supervisor

#: What instances and their containers get to end by themselves; `stop --help` says it.
STOP_S = 20.0


@dataclass(frozen=True)
class _Parts:
    """What the daemon itself starts and stops."""

    functions: LambdaFunctions
    instances: LocalInstances
    balancers: LocalLoadBalancers
    spot: SpotNotices
    boots: BootFaults


def serve(state_dir: Path, port: int) -> None:
    """Run the embedded AWS on a loopback port until SIGTERM or SIGINT; then end all it started."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for noisy in ("botocore", "werkzeug", "urllib3", "boto3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    supervisor = Supervisor(state_dir)
    parts: list[_Parts] = []

    def make_hosts(around: Surroundings) -> Hosts:
        made = _parts(state_dir, supervisor, around)
        parts.append(made)
        imds = Imds(around.clients, REGION, around.clock, made.spot)
        around.application.mount(PREFIX, imds)
        around.application.mount(SPOT_PATH, made.spot)
        around.application.mount(BOOTS_PATH, made.boots)
        return Hosts(
            databases=PostgresServers(state_dir, supervisor),
            caches=RedisServers(state_dir, supervisor),
            functions=made.functions,
            load_balancers=made.balancers,
            instances=made.instances,
        )

    services = (
        *SERVICES,
        lambda around, hosts: LambdaInvocations(parts[0].functions),
        lambda around, hosts: TargetHealth(parts[0].balancers),
        lambda around, hosts: RegistryImages(images_directory(state_dir), account=ACCOUNT),
    )
    aws = build(port=port, clock=SystemClock(), services=services, make_hosts=make_hosts)
    loop = _loop(aws, parts[0])
    aws.start()
    loop.start()
    stopping.wait()
    loop.stop()
    parts[0].instances.stop_all(STOP_S)
    parts[0].balancers.close()
    supervisor.stop_all(STOP_S)
    aws.stop()


def _parts(state_dir: Path, supervisor: Supervisor, around: Surroundings) -> _Parts:
    boots = BootFaults()
    instances = LocalInstances(
        state_dir, supervisor, endpoint=around.endpoint, region=REGION, faults=boots
    )
    return _Parts(
        functions=LambdaFunctions(state_dir, supervisor, around.clients, endpoint=around.endpoint),
        instances=instances,
        balancers=LocalLoadBalancers(state_dir, around.clients, instances.port),
        spot=SpotNotices(around.clients, around.clock),
        boots=boots,
    )


def _loop(aws: EmbeddedAws, parts: _Parts) -> Loop:
    sqs, autoscaling = aws.services["sqs"], aws.services["autoscaling"]
    rotations = aws.services["secretsmanager"]
    assert isinstance(sqs, SqsService)  # noqa: S101 (narrows the type; SERVICES makes them)
    assert isinstance(autoscaling, AutoScalingService)  # noqa: S101
    assert isinstance(rotations, Rotations)  # noqa: S101
    made = controllers(
        aws.clients,
        aws.hosts,
        sqs=sqs,
        autoscaling=autoscaling,
        rotations=rotations,
        account=ACCOUNT,
        region=REGION,
        unhealthy=parts.balancers.unhealthy,
        taken=parts.balancers.traffic.taken,
        targets=parts.balancers.counted,
    )
    return Loop(aws.clock, (*made, parts.spot))
