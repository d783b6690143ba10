"""Does the scaling metric arrive?"""

from __future__ import annotations

from datetime import datetime

from config.contracts.metrics import BACKLOG_COUNT
from config.contracts.names import METRIC_FUNCTION, physical_name
from ops import facts
from ops.findings import Finding
from ops.verify.context import Context


def ask(context: Context) -> list[Finding]:
    """Look for a BacklogCount that was published since the deploy."""
    function = physical_name(context.settings.environment, METRIC_FUNCTION)
    return [decide(facts.backlog(context.settings), context.since, function)]


def decide(last: facts.BacklogFact | None, since: datetime, function: str) -> Finding:
    """Return whether the last backlog is newer than `since`; the metric counts whole seconds."""
    fix = f"read the log of {function} (runbook: Does the fleet hear of it?)"
    if last is None:
        cause = f"nothing was published in the last {facts.BACKLOG_WINDOW_S} s"
        return Finding(BACKLOG_COUNT, cause, fix)
    if last.at_s < int(since.timestamp()):
        age_s = since.timestamp() - last.at_s
        cause = f"the last value is {age_s:.0f} s older than the deploy"
        return Finding(BACKLOG_COUNT, cause, fix)
    return Finding(f"{BACKLOG_COUNT} arrives: {last.value:g}")
