"""What an Auto Scaling group is made of. Times are epoch seconds."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

from local.protocol import ServiceError

PENDING, PENDING_WAIT, IN_SERVICE = "Pending", "Pending:Wait", "InService"
#: Of the warm pool, which counts as no capacity: being prepared, and standing stopped.
WARM_PENDING, WARM_PENDING_WAIT = "Warmed:Pending", "Warmed:Pending:Wait"
WARM_STOPPED = "Warmed:Stopped"
TERMINATING, TERMINATING_WAIT, TERMINATED = "Terminating", "Terminating:Wait", "Terminated"
LAUNCHING_TRANSITION = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING_TRANSITION = "autoscaling:EC2_INSTANCE_TERMINATING"
#: A hook ends after this many heartbeats at the latest, or 48 hours.
#: https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html
GLOBAL_TIMEOUT_HEARTBEATS, GLOBAL_TIMEOUT_S = 100, 172_800

PROCESSES = (
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "Launch",
    "ReplaceUnhealthy",
    "ScheduledActions",
    "Terminate",
)


def invalid(message: str) -> ServiceError:
    """Return the error that Auto Scaling gives for whatever it refuses."""
    return ServiceError("ValidationError", message)


def identifier() -> str:
    """Return a fresh id of an activity, a refresh or a hook's token."""
    return str(uuid.uuid4())


@dataclass
class Hook:
    """A lifecycle hook; `heartbeat_s` is the time for one heartbeat."""

    name: str
    transition: str
    heartbeat_s: int = 3600
    default_result: str = "ABANDON"
    metadata: str | None = None
    target_arn: str | None = None
    role_arn: str | None = None

    @property
    def global_timeout_s(self) -> int:
        """Seconds after which heartbeats hold the instance no longer."""
        return min(self.heartbeat_s * GLOBAL_TIMEOUT_HEARTBEATS, GLOBAL_TIMEOUT_S)


@dataclass
class Wait:
    """One hook that an instance waits for. `told` once its target has been notified."""

    hook: Hook
    deadline: float
    last_deadline: float
    token: str = field(default_factory=identifier)
    told: bool = False


@dataclass
class Activity:
    """One launch or termination, as DescribeScalingActivities shows it."""

    group: str
    description: str
    cause: str
    started_at: float
    status: str = "InProgress"
    ended_at: float | None = None
    message: str | None = None
    id: str = field(default_factory=identifier)

    def end(self, status: str, now: float, message: str | None = None) -> None:
        """Close the activity."""
        self.status, self.ended_at, self.message = status, now, message


@dataclass
class Member:
    """An instance of a group. `template` is the launch template specification it came from."""

    instance_id: str
    zone: str
    instance_type: str
    image_id: str
    template: dict[str, str]
    launched_at: float
    protected: bool
    activity: Activity
    spot: bool = False
    state: str = PENDING
    health: str = "Healthy"
    in_service_at: float | None = None
    waits: dict[str, Wait] = field(default_factory=dict)
    target_groups: set[str] = field(default_factory=set)

    @property
    def active(self) -> bool:
        """Whether it counts as capacity: launching or in service."""
        return self.state in {PENDING, PENDING_WAIT, IN_SERVICE}

    @property
    def warm(self) -> bool:
        """Whether it is in the warm pool."""
        return self.state in {WARM_PENDING, WARM_PENDING_WAIT, WARM_STOPPED}


@dataclass(frozen=True)
class WarmPool:
    """How many instances stand stopped beside a group.

    At least `minimum`; with those in service as many as `prepared`, None for the group's maximum.
    """

    minimum: int
    prepared: int | None


@dataclass
class Refresh:
    """One instance refresh: `old` are the instances still to be replaced."""

    group: str
    old: set[str]
    total: int
    min_healthy_percent: int
    warmup_s: float
    protected: str
    started_at: float
    preferences: dict[str, Any]
    status: str = "InProgress"
    reason: str | None = None
    ended_at: float | None = None
    id: str = field(default_factory=identifier)


@dataclass
class Group:
    """A group: its settings in the API's spelling, its sizes, and what has come of them."""

    name: str
    arn: str
    settings: dict[str, Any]
    minimum: int
    maximum: int
    desired: int
    created_at: float
    target_groups: list[str] = field(default_factory=list)
    tags: dict[str, tuple[str, bool]] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    hooks: dict[str, Hook] = field(default_factory=dict)
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)
    suspended: set[str] = field(default_factory=set)
    metrics: set[str] = field(default_factory=set)
    activities: list[Activity] = field(default_factory=list)
    refreshes: list[Refresh] = field(default_factory=list)
    pool: WarmPool | None = None
    causes: list[str] = field(default_factory=list)
    scaled_at: float | None = None
    launch_not_before: float = 0.0
    launch_failures: int = 0
    deleting: bool = False

    @property
    def active(self) -> list[Member]:
        """The instances that count as capacity."""
        return [member for member in self.members.values() if member.active]

    @property
    def refresh(self) -> Refresh | None:
        """The refresh in progress."""
        latest = self.refreshes[-1] if self.refreshes else None
        return latest if latest and latest.status == "InProgress" else None

    def runs(self, process: str) -> bool:
        """Whether a process is not suspended."""
        return process not in self.suspended


@dataclass
class Store:
    """The groups of an account and region, and the lock that guards them."""

    account: str
    region: str
    lock: threading.RLock = field(default_factory=threading.RLock)
    groups: dict[str, Group] = field(default_factory=dict)
    past_activities: list[Activity] = field(default_factory=list)

    def group(self, name: str | None) -> Group:
        """Return a group. Raises: ServiceError naming it."""
        found = self.groups.get((name or "").rsplit("autoScalingGroupName/", 1)[-1])
        if found is None:
            raise invalid(f"AutoScalingGroup name not found - AutoScalingGroup {name} not found")
        return found

    def member(self, instance_id: str | None) -> tuple[Group, Member]:
        """Return an instance and its group. Raises: ServiceError naming it."""
        for group in self.groups.values():
            if member := group.members.get(instance_id or ""):
                return group, member
        raise invalid(
            f"Instance Id not found - No managed instance found for instance ID: {instance_id}"
        )
