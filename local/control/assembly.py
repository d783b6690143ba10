"""The controllers of one embedded AWS, in the order in which a tick takes them."""

from __future__ import annotations

from collections.abc import Callable

from local.control.alarms import Alarms
from local.control.fleets import Fleets
from local.control.group_metrics import GroupMetrics
from local.control.loop import Controller
from local.control.schedules import Schedules
from local.control.sqs_metrics import SqsMetrics
from local.hosts import Hosts
from local.services.autoscaling.service import AutoScalingService
from local.services.autoscaling.sources import ClientSource
from local.services.sqs.service import SqsService


def controllers(
    clients: ClientSource,
    hosts: Hosts,
    *,
    sqs: SqsService,
    autoscaling: AutoScalingService,
    account: str,
    region: str,
    unhealthy: Callable[[str], frozenset[str]] = lambda arn: frozenset(),
) -> tuple[Controller, ...]:
    """Return all controllers.

    `unhealthy` gives, for a target group's ARN, the instances that fail its check.
    """
    return (
        Fleets(autoscaling.store, clients, hosts.instances, unhealthy=unhealthy),
        Schedules(clients, hosts.functions),
        sqs,
        SqsMetrics(clients, sqs),
        GroupMetrics(clients, autoscaling.store),
        Alarms(clients, account=account, region=region),
    )
