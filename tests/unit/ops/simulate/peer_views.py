"""What a peer is shown, minute by minute."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ops.simulate.policy import Policy, View


def view(now_s: float = 0.0, **shown: Any) -> View:
    """Return a view of a fleet at rest but for what is shown; all of `desired` is in service."""
    facts: dict[str, Any] = {
        "waiting": 0,
        "running": 0,
        "desired": 0,
        "minimum": 0,
        "maximum": 100,
        "booting": 0,
        "draining": 0,
        "mean_job_s": None,
        **shown,
    }
    in_service = facts["desired"] - facts["booting"]
    return View(now_s=now_s, **{"in_service": in_service, **facts})


def answers(policy: Policy, waiting: Iterable[int], **shown: Any) -> list[int | None]:
    """Return what a policy says, asked once a period, while so many messages wait."""
    return [
        policy.decide(view(at * policy.every_s, waiting=count, **shown))
        for at, count in enumerate(waiting)
    ]
