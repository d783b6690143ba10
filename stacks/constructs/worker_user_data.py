"""What a worker instance does when it boots."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.contracts.environment import SECRETS
from config.contracts.metrics import WORKERS_NAMESPACE, worker_dimensions
from stacks.constructs import boot_report
from stacks.constructs.boot import Boot, confined, docker, identify, logging, prelude, render

WORKER_ENV_FILE = "/etc/academy/worker.env"
#: cloud-init runs what lies here at every boot.
EVERY_BOOT = "/var/lib/cloud/scripts/per-boot/academy-worker"
#: Named, because the script that completes the hook is part of the group that owns the hook.
TERMINATION_HOOK = "academy-drain"
#: The container's /tmp, and in it the file that a worker touches before each look into its queue.
TEMPORARY = "/var/lib/academy/tmp"
ALIVE = f"{TEMPORARY}/academy-worker-alive"
_REPORT = "/var/lib/academy/report.py"


@dataclass(frozen=True)
class WorkerBoot:
    """A worker instance of `kind`, in Auto Scaling group `group` of `environment`.

    `variables` are the container's own besides its parameters. `scratch`, a device, is emptied and
    mounted for the jobs' temporary files; None for none. A worker that has not looked into its
    queue `limit_s` after the script's start has failed to boot; where its group cannot spare it,
    it stays for `probe_every_s` before it is replaced.
    """

    environment: str
    kind: str
    group: str
    container: str
    variables: Mapping[str, str]
    scratch: str | None
    limit_s: int
    probe_every_s: int


def worker_user_data(boot: Boot, worker: WorkerBoot) -> str:
    """Return the script of a worker instance.

    cloud-init runs user data once in an instance's life, so the script leaves itself where it is
    run at every later boot too: a rebooted instance starts over. The boot ends with the worker's
    first look into its queue, and is put on record then, or when a step has failed or hung. The
    script stays with the container: when that exits 0 it has ended its own instance, and the
    termination hook is completed, so that nobody waits for its timeout.
    """
    return "\n".join(
        (
            prelude(boot),
            _records(boot, worker),
            _failures(worker),
            _watchdog(worker),
            identify(),
            _again_at_reboot(),
            docker(boot),
            *([_mounted(worker.scratch)] if worker.scratch else []),
            render(boot, role="workers", target=WORKER_ENV_FILE),
            _container(boot, worker),
        )
    )


def _records(boot: Boot, worker: WorkerBoot) -> str:
    """Functions that tell of the boot; no secret leaves the instance with its log."""
    secrets = f"{WORKER_ENV_FILE} {','.join(SECRETS)}"
    dimensions = json.dumps(worker_dimensions(worker.environment, worker.kind))
    return f"""BOOTED=
LAUNCHED=
cat >{_REPORT} <<'PYTHON'
{Path(boot_report.__file__).read_text("utf-8")}PYTHON

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


def _failures(worker: WorkerBoot) -> str:
    """A failed boot takes its place in the group along: the controller asks for another one.

    Where the group is at its minimum that is refused, and a worker that ended later is replaced.
    """
    return f"""leave() {{
  local attempt
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    if aws autoscaling complete-lifecycle-action --lifecycle-hook-name {TERMINATION_HOOK} \\
      --auto-scaling-group-name {worker.group} --lifecycle-action-result CONTINUE \\
      --instance-id "$INSTANCE_ID"; then break; fi
    echo "attempt=$attempt the termination hook is not waiting yet"
    sleep 2
  done
}}

give_up() {{
  if [ -z "$BOOTED" ]; then
    timeout 30 docker rm --force {worker.container}
    if aws autoscaling terminate-instance-in-auto-scaling-group --instance-id "$INSTANCE_ID" \\
      --should-decrement-desired-capacity; then leave; return; fi
    echo "the group keeps this instance: it stays {worker.probe_every_s} s to be looked at"
    sleep {worker.probe_every_s}
  fi
  unhealthy
}}
"""


def _watchdog(worker: WorkerBoot) -> str:
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


def _again_at_reboot() -> str:
    """https://docs.cloud-init.io/en/latest/reference/modules.html#scripts-per-boot"""
    return f"""step stay
[ "$0" = {EVERY_BOOT} ] || install -D -m 700 "$0" {EVERY_BOOT}
"""


def _mounted(device: str) -> str:
    """A fresh file system at each boot: what a killed job left behind goes."""
    return f"""step scratch
mkfs.xfs -q -f -K {device}
mkdir -p {TEMPORARY}
mount -o noatime {device} {TEMPORARY}
"""


def _container(boot: Boot, worker: WorkerBoot) -> str:
    """Run the worker to its end; its first look into the queue ends the boot.

    One that leaves before, since its instance is taken away, has neither booted nor failed to.
    """
    variables = " ".join(f"-e {key}={shlex.quote(text)}" for key, text in worker.variables.items())
    return f"""step run
install -d -m 1777 {TEMPORARY}
rm -f {ALIVE}
docker rm --force {worker.container}
docker run --name {worker.container} --env-file {WORKER_ENV_FILE} \\
  {variables} \\
  {logging(boot, worker.kind)} {confined(boot)} -v {TEMPORARY}:/tmp \\
  {boot.image} &
CONTAINER=$!
until [ -e {ALIVE} ] || [ ! -d "/proc/$CONTAINER" ]; do sleep 0.5; done
if [ -e {ALIVE} ]; then
  BOOTED=yes
  kill "$WATCHDOG"
  step work
  record ended || echo "CloudWatch Logs did not take the boot record"
fi
wait "$CONTAINER"

step leave
leave
step end
"""
