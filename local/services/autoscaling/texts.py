"""How activities explain themselves, in AWS's words."""

from __future__ import annotations

from datetime import UTC, datetime


def at(now: float) -> str:
    """Return a time as activities write it."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def set_by_user(old: int, new: int, now: float) -> str:
    """Say that a request set the desired capacity."""
    return (
        f"At {at(now)} a user request explicitly set group desired capacity changing the desired "
        f"capacity from {old} to {new}."
    )


def set_by_update(old: int, new: int, now: float) -> str:
    """Say that an update of the group's limits or size changed the desired capacity."""
    return (
        f"At {at(now)} a user request update of AutoScalingGroup constraints to change the desired "
        f"capacity from {old} to {new}."
    )


def set_by_policy(policy: str, trigger: str, old: int, new: int, now: float) -> str:
    """Say that a scaling policy changed the desired capacity."""
    return (
        f"At {at(now)} {trigger} triggered policy {policy} changing the desired capacity "
        f"from {old} to {new}."
    )


def started(old: int, new: int, now: float) -> str:
    """Say why an instance was launched."""
    return (
        f"At {at(now)} an instance was started in response to a difference between desired and "
        f"actual capacity, increasing the capacity from {old} to {new}."
    )


def shrunk(old: int, new: int, now: float) -> str:
    """Say why an instance was chosen for scale-in."""
    return (
        f"At {at(now)} an instance was taken out of service in response to a difference between "
        f"desired and actual capacity, shrinking the capacity from {old} to {new}."
    )


def taken_out(reason: str, now: float) -> str:
    """Say that an instance was taken out of service for a reason of its own."""
    return f"At {at(now)} an instance was taken out of service in response to {reason}."
