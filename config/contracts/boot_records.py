"""What a worker instance says of its boot: one line in the fleet's log group, for good and ill.

The line is an embedded metric: CloudWatch makes BootSeconds and BootsFailed of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from config.contracts.fields import Undecodable, body_fields, text

#: Log streams that hold boot records and the logs of failed boots: `boot/<instance id>`.
STREAM_PREFIX = "boot/"
#: A field of the record, and of nothing else in those streams.
EVENT = "boot"
ENDED, FAILED = "ended", "failed"
#: Touched in its container's /tmp by a worker before it looks into its queue: it has booted.
POLLED_FILE = "academy-worker-polled"


@dataclass(frozen=True)
class BootRecord:
    """How a boot ended: `step` is where, `reason` the log's last line; empty when it worked."""

    instance_id: str
    failed: bool
    seconds: float
    step: str
    reason: str


def decode_boot(line: str) -> BootRecord:
    """Return a record; unknown fields are ignored. Raises: Undecodable when the line is none.

    {"event": "boot", "outcome": "failed", "instance": "i-...", "BootSeconds": 12.0, "step": "pull",
    "reason": "manifest unknown", "steps": {"identify": 0.4, "docker": 2.1, "pull": 9.5}}
    """
    fields = body_fields(line)
    if fields.get("event") != EVENT or fields.get("outcome") not in (ENDED, FAILED):
        raise Undecodable("no boot record")
    seconds = fields.get("BootSeconds")
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise Undecodable(f"BootSeconds must be a number, got {seconds!r}")
    return BootRecord(
        instance_id=text(fields, "instance"),
        failed=fields["outcome"] == FAILED,
        seconds=float(seconds),
        step=str(fields.get("step", "")),
        reason=str(fields.get("reason", "")),
    )
