"""Metric namespaces, names and dimension sets: what is published, alarmed on and queried."""

from __future__ import annotations

from config.contracts.names import BARE_ENVIRONMENTS, worker_group_name

VIDEO_NAMESPACE = "Academy/VideoProcessing"
BACKLOG_COUNT = "BacklogCount"

WORKERS_NAMESPACE = "Academy/Workers"
QUEUE_DEPTH = "QueueDepth"
WORKER_TYPES = {"video": "Video", "ai": "AI", "messaging": "Messaging"}

#: Of one fleet, under `worker_dimensions`, while it has jobs or instances: jobs that wait and run,
#: seconds since the oldest waiting one could have started, and since the tick before this one.
WAITING, RUNNING = "Waiting", "Running"
OLDEST_JOB_S, TICK_AGE_S = "OldestJobAge", "ControllerStaleness"
#: Instances under the same and `State`, one of INSTANCE_STATES.
CAPACITY = "Capacity"
INSTANCE_STATES = ("booting", "idle", "busy", "draining", "zombie")
#: 1 while so many boots failed in a row that no more are paid for but one at a time, 0 otherwise.
BREAKER_OPEN = "BreakerOpen"
#: Published by every instance once its boot has ended: seconds, and 1 when it failed.
BOOT_S, BOOTS_FAILED = "BootSeconds", "BootsFailed"

#: Log lines that the runbook greps for.
PUBLISHED_LINE = "BacklogCount metric published | backlog={backlog}"
FETCH_FAILED_LINE = "VIDEO_BACKLOG_API fetch failed"


def backlog_dimension_sets(environment: str) -> tuple[dict[str, str], ...]:
    """Return the dimension sets under which BacklogCount is published, the queried one first.

    The second is the former publisher's, kept so that old graphs go on.
    """
    group = worker_group_name(environment, "video")
    return (
        {"AutoScalingGroupName": group},
        {"WorkerType": "Video", "AutoScalingGroupName": group},
    )


def worker_dimensions(environment: str, kind: str) -> dict[str, str]:
    """Return the dimensions of a worker kind's metrics in Academy/Workers.

    The documented environments have the kind alone; others, which may share their account, name
    themselves, so that one environment's silence is not covered by another's voice.
    """
    found = {"WorkerType": WORKER_TYPES[kind]}
    return found if environment in BARE_ENVIRONMENTS else {**found, "Environment": environment}


#: Published by every worker, one embedded-metric log line a job, under `worker_dimensions`.
QUEUE_AGE_S = "QueueAge"
TIME_TO_START_S = "TimeToStart"
JOB_DURATION_S = "JobDuration"
#: A count of 1 under the same and `Outcome` (one of JOB_OUTCOMES).
JOBS = "Jobs"
JOB_OUTCOMES = ("SUCCEEDED", "FAILED", "RETRY_WAIT", "DEAD", "HANDED_BACK", "LOST")
