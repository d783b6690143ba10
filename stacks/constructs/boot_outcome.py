"""How a worker's boot ends: what is told of it, what becomes of a failed one, and a time limit."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.contracts.environment import SECRETS
from config.contracts.metrics import WORKERS_NAMESPACE, worker_dimensions
from stacks.constructs import boot_report

WORKER_ENV_FILE = "/etc/academy/worker.env"
#: Named, because the script that completes a hook is part of the group that owns the hook.
TERMINATION_HOOK, LAUNCHING_HOOK = "academy-drain", "academy-prepare"
_REPORT = "/var/lib/academy/report.py"


@dataclass(frozen=True)
class WorkerBoot:
    """A worker instance of `kind`, in Auto Scaling group `group` of `environment`.

    `variables` are the container's own besides its parameters. `scratch`, a device, is emptied and
    mounted for the jobs' temporary files; None for none. A worker that has not looked into its
    queue `limit_s` after the script's start has failed to boot; where its group cannot spare it,
    it stays for `probe_every_s` before it is replaced. With `pooled` it may be launched into the
    group's warm pool.
    """

    environment: str
    kind: str
    group: str
    container: str
    variables: Mapping[str, str]
    scratch: str | None
    limit_s: int
    probe_every_s: int
    pooled: bool


def records(worker: WorkerBoot) -> str:
    """Functions that tell of the boot; no secret leaves the instance with its log."""
    secrets = f"{WORKER_ENV_FILE} {','.join(SECRETS)}"
    dimensions = json.dumps(worker_dimensions(worker.environment, worker.kind))
    return f"""BOOTED=
LAUNCHED=
STATE=
WATCHDOG=

report() {{ log_tail | python3 {_REPORT} "$1" {secrets} "${{@:2}}" | send_log boot; }}

record() {{
  report record {WORKERS_NAMESPACE} {shlex.quote(dimensions)} \\
    "$1" "$INSTANCE_ID" "$STEP" "$STEPS" "$LAUNCHED"
}}

tell() {{
  if [ -z "$BOOTED" ]; then
    kill "$WATCHDOG"
    record failed
  fi
  report hide
}}
"""


def reporter() -> str:
    """Write the program that these functions run."""
    return f"""cat >{_REPORT} <<'PYTHON'
{Path(boot_report.__file__).read_text("utf-8")}PYTHON
"""


def failures(worker: WorkerBoot) -> str:
    """A failed boot takes its place in the group along: the controller asks for another one.

    Where the group is at its minimum that is refused; a worker that ended later is replaced. An
    instance of the warm pool holds no place, and would be replaced at once, again and again: it
    lets itself be stopped as it is, which costs its disk alone, and tries once more when started.
    """
    return f"""release() {{
  local attempt
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    if aws autoscaling complete-lifecycle-action --lifecycle-hook-name "$1" \\
      --auto-scaling-group-name {worker.group} --lifecycle-action-result CONTINUE \\
      --instance-id "$INSTANCE_ID"; then break; fi
    echo "attempt=$attempt the hook $1 is not waiting yet"
    sleep 2
  done
}}

give_up() {{
  if [ -n "$BOOTED" ]; then unhealthy; return; fi
  timeout 30 docker rm --force {worker.container}
  if [[ $STATE == Warmed:* ]]; then release {LAUNCHING_HOOK}; return; fi
  if aws autoscaling terminate-instance-in-auto-scaling-group --instance-id "$INSTANCE_ID" \\
    --should-decrement-desired-capacity; then release {TERMINATION_HOOK}; return; fi
  echo "the group keeps this instance: it stays {worker.probe_every_s} s to be looked at"
  sleep {worker.probe_every_s}
  unhealthy
}}
"""


def watchdog(worker: WorkerBoot) -> str:
    """Ends whatever a boot that takes too long is waiting for: that step then fails."""
    return f"""kill_below() {{
  local each
  for each in $(pgrep -P "$1"); do
    [ "$each" != "$WATCHER" ] || continue
    kill_below "$each"
    kill -KILL "$each"
  done
}}

watch_boot() {{
  WATCHER=$BASHPID
  set +e
  trap - ERR
  until [ "$SECONDS" -ge {worker.limit_s} ]; do
    sleep 1
    [ -d /proc/$$ ] || exit 0
  done
  echo "hung: no worker has looked into its queue within {worker.limit_s} s"
  while [ -d /proc/$$ ]; do
    kill_below $$
    sleep 1
  done
}}
watch_boot &
WATCHDOG=$!
"""
