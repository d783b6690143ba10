"""Health of load balancers' targets: really checked, as their target groups say."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from local.hosts import Address

#: A target that was never healthy is tried this often: whoever deploys waits for it.
_INITIAL_S = 0.5

Resolve = Callable[[str, int], Address | None]


@dataclass(frozen=True)
class Target:
    """One registered target of a target group."""

    group: str
    id: str
    port: int


@dataclass(frozen=True)
class Check:
    """A target group's health check. Times in seconds; `matcher` such as `200,301-399`."""

    path: str
    matcher: str
    interval_s: float
    timeout_s: float
    healthy: int
    unhealthy: int

    def passes(self, status: int) -> bool:
        """Tell whether an HTTP status counts as healthy."""
        for part in self.matcher.split(","):
            low, _, high = part.strip().partition("-")
            if int(low) <= status <= int(high or low):
                return True
        return False


@dataclass(frozen=True)
class Health:
    """What is known of a target: ELB's state, reason and description; checks in a row."""

    state: str = "initial"
    reason: str | None = "Elb.RegistrationInProgress"
    description: str | None = "Target registration is in progress"
    passed: int = 0
    failed: int = 0
    since: float = 0.0
    due: float = 0.0


def judged(health: Health, check: Check, failure: tuple[str, str] | None, now: float) -> Health:
    """Return the health after one more check, at `now` (any seconds that only grow).

    A new target needs one pass (ELB's rule), a failing one `healthy` passes in a row; a healthy
    one turns after `unhealthy` failures in a row, a new one after that many intervals.
    """
    if failure is None:
        passed = health.passed + 1
        if health.state == "initial" or passed >= check.healthy or health.state == "healthy":
            due = now + check.interval_s
            return Health("healthy", None, None, passed=passed, since=health.since, due=due)
        return replace(health, passed=passed, failed=0, due=now + check.interval_s)
    failed = health.failed + 1
    patience_s = check.unhealthy * check.interval_s
    if health.state == "initial":
        turns, due = now - health.since >= patience_s, now + min(_INITIAL_S, check.interval_s)
    else:
        turns, due = failed >= check.unhealthy, now + check.interval_s
    reason, description = failure
    if not turns and health.state == "healthy":
        return replace(health, passed=0, failed=failed, due=due)
    state = "unhealthy" if turns or health.state == "unhealthy" else "initial"
    return Health(state, reason, description, failed=failed, since=health.since, due=due)


class HealthChecks:
    """Checks every watched target when it is due, a few at a time. Thread-safe."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._known: dict[Target, Health] = {}
        self._busy: set[Target] = set()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="health")

    def of(self, target: Target) -> Health | None:
        """Return what is known of a target, None when no listener uses it."""
        with self._lock:
            return self._known.get(target)

    def tick(self, watched: Mapping[Target, Check]) -> None:
        """Start the checks that are due; forget targets that are watched no more."""
        now = time.monotonic()
        with self._lock:
            kept = {target: self._known.get(target) or Health(since=now) for target in watched}
            self._known = kept
            due = [one for one in kept if kept[one].due <= now and one not in self._busy]
            self._busy.update(due)
        for target in due:
            self._pool.submit(self._check, target, watched[target])

    def close(self) -> None:
        """Start no further check."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _check(self, target: Target, check: Check) -> None:
        failure = self._failure(target, check)
        with self._lock:
            self._busy.discard(target)
            if target in self._known:
                self._known[target] = judged(self._known[target], check, failure, time.monotonic())

    def _failure(self, target: Target, check: Check) -> tuple[str, str] | None:
        """Ask the target once; return ELB's reason and description unless it is well."""
        address = self._resolve(target.id, target.port)
        if address is None:
            return "Target.FailedHealthChecks", "Health checks failed"
        connection = http.client.HTTPConnection(*address, timeout=check.timeout_s)
        try:
            headers = {"User-Agent": "ELB-HealthChecker/2.0", "Connection": "close"}
            connection.request("GET", check.path, headers=headers)
            status = connection.getresponse().status
        except TimeoutError:
            return "Target.Timeout", "Request timed out"
        except (OSError, http.client.HTTPException):
            return "Target.FailedHealthChecks", "Health checks failed"
        finally:
            connection.close()
        if check.passes(status):
            return None
        description = f"Health checks failed with these codes: [{status}]"
        return "Target.ResponseCodeMismatch", description


def check_of(group: Mapping[str, Any]) -> Check:
    """Return the health check of a target group as DescribeTargetGroups shows it."""
    return Check(
        path=group.get("HealthCheckPath") or "/",
        matcher=(group.get("Matcher") or {}).get("HttpCode") or "200",
        interval_s=float(group["HealthCheckIntervalSeconds"]),
        timeout_s=float(group["HealthCheckTimeoutSeconds"]),
        healthy=int(group["HealthyThresholdCount"]),
        unhealthy=int(group["UnhealthyThresholdCount"]),
    )
