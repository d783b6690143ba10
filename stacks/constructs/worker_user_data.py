"""What a worker instance does when it boots."""

from __future__ import annotations

import shlex

from config.contracts.boot_records import POLLED_FILE
from stacks.constructs.boot import Boot, confined, docker, identify, logging, prelude, render
from stacks.constructs.boot_outcome import (
    LAUNCHING_HOOK,
    TERMINATION_HOOK,
    WORKER_ENV_FILE,
    WorkerBoot,
    failures,
    records,
    reporter,
    watchdog,
)

#: cloud-init runs what lies here at every boot.
EVERY_BOOT = "/var/lib/cloud/scripts/per-boot/academy-worker"
#: The container's /tmp.
TEMPORARY = "/var/lib/academy/tmp"
POLLED = f"{TEMPORARY}/{POLLED_FILE}"
#: There once the image is.
PREPARED = "/var/lib/academy/prepared"


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
            records(worker),
            failures(worker),
            watchdog(worker),
            reporter(),
            identify(),
            _again_at_reboot(),
            _pooled(docker(boot)) if worker.pooled else docker(boot),
            *([_mounted(worker.scratch)] if worker.scratch else []),
            render(boot, role="workers", target=WORKER_ENV_FILE),
            _container(boot, worker),
        )
    )


def _again_at_reboot() -> str:
    """https://docs.cloud-init.io/en/latest/reference/modules.html#scripts-per-boot"""
    return f"""step stay
[ "$0" = {EVERY_BOOT} ] || install -D -m 700 "$0" {EVERY_BOOT}
"""


def _pooled(prepare: str) -> str:
    """Prepare once; an instance of the warm pool then lets itself be stopped, and waits for that.

    It is stopped as soon as the launching hook is completed. Started, it runs this script again,
    as it does if it is taken into service before it was stopped; then it is in a hurry, and so is
    one that is launched past the pool, which the hook holds as well. The state that the instance is
    meant to reach may be told late: one that was prepared before waits for the new one.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/warm-pool-instance-lifecycle.html
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/retrieving-target-lifecycle-state-through-imds.html
    """
    return f"""meant_for() {{ imds meta-data/autoscaling/target-lifecycle-state || :; }}

step state
until STATE=$(meant_for); [ -n "$STATE" ]; do sleep 1; done
echo "state=$STATE"
if [[ $STATE != Warmed:* ]]; then release {LAUNCHING_HOOK}; fi

HELD=
if [ -e {PREPARED} ]; then
  step docker
  systemctl enable --now docker
else
{prepare}
  touch {PREPARED}
  HELD=yes
fi

if [[ $STATE == Warmed:* ]]; then
  step warm
  kill "$WATCHDOG"
  if [ -n "$HELD" ]; then release {LAUNCHING_HOOK}; fi
  until [ "$(meant_for)" = InService ]; do sleep 1; done
  exec {EVERY_BOOT}
fi
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
rm -f {POLLED}
docker rm --force {worker.container}
docker run --name {worker.container} --env-file {WORKER_ENV_FILE} \\
  {variables} \\
  {logging(boot, worker.kind)} {confined(boot)} -v {TEMPORARY}:/tmp \\
  {boot.image} &
CONTAINER=$!
until [ -e {POLLED} ] || [ ! -d "/proc/$CONTAINER" ]; do sleep 0.5; done
if [ -e {POLLED} ]; then
  BOOTED=yes
  kill "$WATCHDOG"
  step work
  record ended || echo "CloudWatch Logs did not take the boot record"
fi
wait "$CONTAINER"

step leave
release {TERMINATION_HOOK}
step end
"""
