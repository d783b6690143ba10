"""Checks that span several settings of a fleet: its queues, its times, and what it is sized by."""

from __future__ import annotations

from collections.abc import Iterator

from config.model_workers import Worker, WorkerKind
from config.models import Settings
from config.problem import Key, Problem

#: An instance that takes this many times its boot has failed; one that is a little late has not.
BOOTS_IN_LIMIT = 2


def fleet_problems(settings: Settings) -> Iterator[Problem]:
    """Yield what is wrong with the fleets, each by itself and together."""
    yield from _queues(settings)
    for kind, worker in settings.workers.items():
        yield from _sizes(kind, worker)
        yield from _warm_pool(kind, worker)
        yield from _times(kind, worker)
    yield from _boot_limit(settings)


def _queues(settings: Settings) -> Iterator[Problem]:
    """A queue has one fleet, and a fleet's queues share the timing that its workers are given."""
    owner: dict[str, str] = {}
    for kind, worker in settings.workers.items():
        for index, queue in enumerate(worker.queues):
            key: Key = ("workers", kind, "queues", index)
            if queue in owner:
                yield Problem(
                    key,
                    queue,
                    f"a queue that no other worker receives from; '{queue}' belongs to "
                    f"workers.{owner[queue]}",
                )
                continue
            owner[queue] = kind
            if queue not in settings.queues:
                yield Problem(key, queue, f"one of {', '.join(settings.queues)}")
            elif settings.queues[queue] != settings.queues[worker.queues[0]]:
                yield Problem(
                    key,
                    queue,
                    f"queues with the timing of '{worker.queues[0]}', the worker's first queue",
                )


def _sizes(kind: WorkerKind, worker: Worker) -> Iterator[Problem]:
    if worker.min_instances > worker.max_instances:
        yield Problem(
            ("workers", kind, "min_instances"),
            worker.min_instances,
            f"at most max_instances ({worker.max_instances})",
        )


def _warm_pool(kind: WorkerKind, worker: Worker) -> Iterator[Problem]:
    """A pool is of instances on demand, and no larger than its fleet.

    Groups with several instance types may have one since November 2025; Spot instances are not
    stopped and started again.
    https://aws.amazon.com/about-aws/whats-new/2025/11/ec2-auto-scaling-warm-pool-mixed-instances-policies/
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-warm-pools.html
    """
    if worker.warm_pool is None:
        return
    if worker.spot_percent:
        yield Problem(
            ("workers", kind, "warm_pool"),
            worker.warm_pool.model_dump(),
            f"null with spot_percent {worker.spot_percent}: no Spot instance is warmed",
        )
    if worker.warm_pool.size > worker.max_instances:
        yield Problem(
            ("workers", kind, "warm_pool", "size"),
            worker.warm_pool.size,
            f"1 to {worker.max_instances} (max_instances)",
        )


def _times(kind: WorkerKind, worker: Worker) -> Iterator[Problem]:
    """What must fit into what: a hang and a job into the limit, a leaving into its wait."""
    for name in ("hang_limit_s", "job_s"):
        if (value := getattr(worker, name)) > worker.time_limit_s:
            lowest = 5 if name == "hang_limit_s" else 1
            allowed = f"{lowest} to {worker.time_limit_s} (time_limit_s)"
            yield Problem(("workers", kind, name), value, allowed)
    for name in ("checkpoint_s", "stop_timeout_s"):
        if worker.termination_wait_s <= getattr(worker, name):
            yield Problem(
                ("workers", kind, "termination_wait_s"),
                worker.termination_wait_s,
                f"above {getattr(worker, name)} ({name}): a worker reaches its next checkpoint "
                "and leaves before its instance ends",
            )
    met_s = worker.boot_s + worker.start_within_s
    if worker.oldest_message_alarm_s <= met_s:
        yield Problem(
            ("workers", kind, "oldest_message_alarm_s"),
            worker.oldest_message_alarm_s,
            f"above {met_s} (boot_s and start_within_s): a job that starts in time is no alarm",
        )


def _boot_limit(settings: Settings) -> Iterator[Problem]:
    """A boot that is given up has failed, and was not merely slow."""
    kind = max(settings.workers, key=lambda each: settings.workers[each].boot_s)
    lowest = BOOTS_IN_LIMIT * settings.workers[kind].boot_s
    if settings.scaling.boot_limit_s <= lowest:
        yield Problem(
            ("scaling", "boot_limit_s"),
            settings.scaling.boot_limit_s,
            f"above {lowest}, {BOOTS_IN_LIMIT} times workers.{kind}.boot_s",
        )
