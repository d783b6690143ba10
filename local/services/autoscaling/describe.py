"""Groups and what is in them as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from local.services.autoscaling.model import Activity, Group, Hook, Member, Refresh, invalid

T = TypeVar("T")


def moment(seconds: float | None) -> datetime | None:
    """Return epoch seconds as the serialiser wants a time."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def present(**values: Any) -> dict[str, Any]:
    """Return the values that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def page(
    items: Sequence[T], params: dict[str, Any], default: int
) -> tuple[list[T], dict[str, Any]]:
    """Return one page of items, and the NextToken member when more follow.

    Raises: ServiceError for a token that this service never gave.
    """
    token = params.get("NextToken") or "0"
    if not token.isdecimal():
        raise invalid(f"NextToken {token!r} is not valid")
    start, limit = int(token), int(params.get("MaxRecords") or default)
    more = {"NextToken": str(start + limit)} if len(items) > start + limit else {}
    return list(items[start : start + limit]), more


def group_of(group: Group, *, with_members: bool = True) -> dict[str, Any]:
    """Return a group in the form of DescribeAutoScalingGroups."""
    settings = {k: v for k, v in group.settings.items() if k != "Tags"}
    return {
        **settings,
        "AutoScalingGroupName": group.name,
        "AutoScalingGroupARN": group.arn,
        "MinSize": group.minimum,
        "MaxSize": group.maximum,
        "DesiredCapacity": group.desired,
        "CreatedTime": moment(group.created_at),
        "TargetGroupARNs": list(group.target_groups),
        "LoadBalancerNames": [],
        "Instances": [member_of(m) for m in group.members.values() if with_members and not m.warm],
        "SuspendedProcesses": [
            {"ProcessName": name, "SuspensionReason": "User suspended"}
            for name in sorted(group.suspended)
        ],
        "EnabledMetrics": [
            {"Metric": name, "Granularity": "1Minute"} for name in sorted(group.metrics)
        ],
        "Tags": tags_of(group),
        **({"Status": "Delete in progress"} if group.deleting else {}),
        **_warm(group),
    }


def _warm(group: Group) -> dict[str, Any]:
    size = sum(member.warm for member in group.members.values())
    return present(WarmPoolConfiguration=pool_of(group), WarmPoolSize=size if group.pool else None)


def pool_of(group: Group) -> dict[str, Any] | None:
    """Return the configuration of a group's warm pool, None without one."""
    if group.pool is None:
        return None
    return present(
        MinSize=group.pool.minimum,
        MaxGroupPreparedCapacity=group.pool.prepared,
        PoolState="Stopped",
    )


def tags_of(group: Group) -> list[dict[str, Any]]:
    """Return a group's tags."""
    return [
        {
            "ResourceId": group.name,
            "ResourceType": "auto-scaling-group",
            "Key": key,
            "Value": value,
            "PropagateAtLaunch": propagated,
        }
        for key, (value, propagated) in sorted(group.tags.items())
    ]


def member_of(member: Member) -> dict[str, Any]:
    """Return an instance in the form of a group's Instances."""
    return {
        "InstanceId": member.instance_id,
        "InstanceType": member.instance_type,
        "AvailabilityZone": member.zone,
        "LifecycleState": member.state,
        "HealthStatus": member.health,
        "LaunchTemplate": member.template,
        "ProtectedFromScaleIn": member.protected,
    }


def instance_of(group: Group, member: Member) -> dict[str, Any]:
    """Return an instance in the form of DescribeAutoScalingInstances."""
    health = "HEALTHY" if member.health == "Healthy" else "UNHEALTHY"
    return {
        **member_of(member),
        "AutoScalingGroupName": group.name,
        "HealthStatus": health,
    }


def activity_of(activity: Activity) -> dict[str, Any]:
    """Return an activity."""
    return present(
        ActivityId=activity.id,
        AutoScalingGroupName=activity.group,
        Description=activity.description,
        Cause=activity.cause[:1023],
        StartTime=moment(activity.started_at),
        EndTime=moment(activity.ended_at),
        StatusCode=activity.status,
        StatusMessage=activity.message and activity.message[:255],
        Progress=100 if activity.ended_at is not None else 50,
        Details="{}",
    )


def hook_of(group: Group, hook: Hook) -> dict[str, Any]:
    """Return a lifecycle hook."""
    return present(
        LifecycleHookName=hook.name,
        AutoScalingGroupName=group.name,
        LifecycleTransition=hook.transition,
        HeartbeatTimeout=hook.heartbeat_s,
        GlobalTimeout=hook.global_timeout_s,
        DefaultResult=hook.default_result,
        NotificationMetadata=hook.metadata,
        NotificationTargetARN=hook.target_arn,
        RoleARN=hook.role_arn,
    )


def refresh_of(refresh: Refresh) -> dict[str, Any]:
    """Return an instance refresh."""
    done = refresh.total - len(refresh.old)
    return present(
        InstanceRefreshId=refresh.id,
        AutoScalingGroupName=refresh.group,
        Status=refresh.status,
        StatusReason=refresh.reason,
        StartTime=moment(refresh.started_at),
        EndTime=moment(refresh.ended_at),
        PercentageComplete=100 * done // refresh.total if refresh.total else 100,
        InstancesToUpdate=len(refresh.old),
        Preferences=refresh.preferences,
        Strategy="Rolling",
    )
