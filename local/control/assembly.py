"""The controllers of one embedded AWS, in the order in which a tick takes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from local.control.alarms import Alarms
from local.control.balancer_metrics import BalancerMetrics, Health
from local.control.cpu_metrics import CpuMetrics
from local.control.fleets import Fleets
from local.control.group_metrics import GroupMetrics
from local.control.loop import Controller
from local.control.schedules import Schedules
from local.control.sqs_metrics import SqsMetrics
from local.control.tracking import Tracking
from local.hosts import Hosts
from local.hosts.lb_traffic import Exchange
from local.services.autoscaling.service import AutoScalingService
from local.services.autoscaling.sources import ClientSource
from local.services.rotations import Rotations
from local.services.sqs.service import SqsService


def controllers(
    clients: ClientSource,
    hosts: Hosts,
    *,
    sqs: SqsService,
    autoscaling: AutoScalingService,
    rotations: Rotations,
    account: str,
    region: str,
    unhealthy: Callable[[str], frozenset[str]] = lambda arn: frozenset(),
    taken: Callable[[], Sequence[Exchange]] = lambda: (),
    targets: Callable[[], Health] = dict,
) -> tuple[Controller, ...]:
    """Return all controllers.

    `unhealthy` gives, for a target group's ARN, the instances that fail its check; `taken` what
    load balancers answered since the last call, `targets` how many of their targets are well.
    """
    return (
        Fleets(autoscaling.store, clients, hosts.instances, unhealthy=unhealthy),
        Schedules(clients, hosts.functions),
        rotations,
        sqs,
        SqsMetrics(clients, sqs),
        GroupMetrics(clients, autoscaling.store),
        CpuMetrics(clients, autoscaling.store, hosts.instances.cpu_s),
        BalancerMetrics(clients, taken, targets),
        Tracking(clients, autoscaling.store),
        Alarms(clients, account=account, region=region),
    )
