"""What a worker instance does when it boots."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from stacks.constructs.boot import Boot, confined, docker, logging, prelude, render

WORKER_ENV_FILE = "/etc/academy/worker.env"
#: cloud-init runs what lies here at every boot.
EVERY_BOOT = "/var/lib/cloud/scripts/per-boot/academy-worker"
#: Named, because the script that completes the hook is part of the group that owns the hook.
TERMINATION_HOOK = "academy-drain"


def worker_user_data(
    boot: Boot,
    *,
    kind: str,
    group: str,
    container: str,
    environment: Mapping[str, str],
    scratch: str | None,
) -> str:
    """Return the script of a worker instance of Auto Scaling group `group`.

    cloud-init runs user data once in an instance's life, so the script leaves itself where it is
    run at every later boot too: a rebooted instance starts over. `scratch`, a device, is emptied
    and mounted for the jobs' temporary files. The container runs in the foreground. When it exits
    0 it has ended its own instance, and the termination hook is completed, so that nobody waits
    for its timeout.
    """
    variables = " ".join(f"-e {key}={shlex.quote(value)}" for key, value in environment.items())
    return "\n".join(
        (
            prelude(boot),
            _again_at_reboot(),
            *([_mounted(scratch)] if scratch else []),
            docker(boot),
            render(boot, role="workers", target=WORKER_ENV_FILE),
            f"""step run
install -d -m 1777 /var/lib/academy/tmp
docker rm --force {container}
docker run --name {container} --env-file {WORKER_ENV_FILE} \\
  {variables} \\
  {logging(boot, kind)} {confined(boot)} -v /var/lib/academy/tmp:/tmp \\
  {boot.image}

step leave
for attempt in 1 2 3; do
  if aws autoscaling complete-lifecycle-action --lifecycle-hook-name {TERMINATION_HOOK} \\
    --auto-scaling-group-name {group} --lifecycle-action-result CONTINUE \\
    --instance-id "$INSTANCE_ID"; then break; fi
  echo "attempt=$attempt the termination hook is not waiting yet"
  sleep 2
done
step end
""",
        )
    )


def _again_at_reboot() -> str:
    """https://docs.cloud-init.io/en/latest/reference/modules.html#scripts-per-boot"""
    return f"""step stay
[ "$0" = {EVERY_BOOT} ] || install -D -m 700 "$0" {EVERY_BOOT}
"""


def _mounted(device: str) -> str:
    """A fresh file system at each boot: what a killed job left behind goes."""
    return f"""step scratch
mkfs.xfs -q -f -K {device}
mkdir -p /var/lib/academy/tmp
mount -o noatime {device} /var/lib/academy/tmp
"""
