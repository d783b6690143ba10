"""What a deploy verifies: each fact is gathered, then a pure decision makes it a finding.

`verify` asks again, as long as a thing may take to become true, and then believes it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from ops.errors import OperatorError
from ops.findings import Finding, unanswered
from ops.verify import alarms, fleets, health, images, metric, queues, stacks, tasks
from ops.verify.context import Context

__all__ = ["VERIFICATIONS", "Context", "Verification", "verify"]

_POLL_S = 1.0


@dataclass(frozen=True)
class Verification:
    """A question, and for how many seconds a wrong answer may still become right."""

    title: str
    ask: Callable[[Context], list[Finding]]
    patience_s: float


VERIFICATIONS = (
    Verification("stacks", stacks.ask, 60),
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
    Verification("queues", queues.ask, 60),
    Verification("images", images.ask, 0),
    Verification("instances", fleets.ask, 900),
    Verification("tasks", tasks.ask, 900),
    Verification("health", health.ask, 240),
    Verification("metric", metric.ask, 180),
    Verification("alarms", alarms.ask, 60),
)


def verify(
    context: Context,
    on_findings: Callable[[Sequence[Finding]], None],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Finding]:
    """Ask every question, hand over each one's findings as they are settled, and return them all.

    A question that cannot be asked is a problem like another: what was deployed is there.
    """
    everything = []
    for each in VERIFICATIONS:
        settled = _settled(each, context, clock, sleep)
        on_findings(settled)
        everything += settled
    return everything


def _settled(
    verification: Verification,
    context: Context,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> list[Finding]:
    give_up = clock() + verification.patience_s
    while True:
        found = _asked(verification, context)
        if all(finding.ok for finding in found) or clock() >= give_up:
            return found
        sleep(_POLL_S)


def _asked(verification: Verification, context: Context) -> list[Finding]:
    try:
        return verification.ask(context)
    except (BotoCoreError, ClientError, OperatorError) as error:
        return [unanswered(verification.title, error)]
