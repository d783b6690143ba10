"""What an instance does when it boots: a bash script that stops at its first failure.

The same script runs on EC2 and in the embedded AWS. It may write below /var/log/academy-boot.log,
/etc/academy, /var/lib/academy and /home/ec2-user alone. Every step is logged with its UTC time; a
failure is logged with its step and line, the log is sent to CloudWatch Logs, and the instance is
declared unhealthy, so that another one takes its place instead of a container restarting in place.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from config.contracts.names import API_CONTAINER, API_ENV_FILE, API_PORT

WORKER_ENV_FILE = "/etc/academy/worker.env"
#: Named, because the script that completes the hook is part of the group that owns the hook.
TERMINATION_HOOK = "academy-drain"


@dataclass(frozen=True)
class Boot:
    """What both scripts need. `registry` is the host of `image`; `path` the SSM path to render."""

    region: str
    registry: str
    image: str
    path: str
    log_group: str
    stop_timeout_s: int


def worker_user_data(
    boot: Boot, *, kind: str, group: str, container: str, environment: Mapping[str, str]
) -> str:
    """Return the script of a worker instance of Auto Scaling group `group`.

    The container runs in the foreground. When it exits 0 it has ended its own instance, and the
    termination hook is completed, so that nobody waits for its timeout.
    """
    variables = " ".join(f"-e {key}={shlex.quote(value)}" for key, value in environment.items())
    return "\n".join(
        (
            _prelude(boot),
            _docker(boot),
            _render(boot, role="workers", target=WORKER_ENV_FILE),
            f"""step run
install -d -m 1777 /var/lib/academy/tmp
docker run --name {container} --env-file {WORKER_ENV_FILE} \\
  {variables} \\
  {_logging(boot, kind)} {_confined(boot)} -v /var/lib/academy/tmp:/tmp \\
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


def api_user_data(boot: Boot, *, release: str) -> str:
    """Return the script of an API instance: migrate once a release, then serve and relay."""
    run = f"--env-file {API_ENV_FILE}"
    kept = f"docker run -d --restart unless-stopped {run}"
    manage = "python -m worker_images.api.manage"
    return "\n".join(
        (
            _prelude(boot),
            _docker(boot),
            _render(boot, role="api", target=API_ENV_FILE),
            f"""step migrate
docker run --rm --name academy-api-migrate {run} {_logging(boot, "migrate")} \\
  {_confined(boot)} --tmpfs /tmp \\
  {boot.image} {manage} migrate_once --release {shlex.quote(release)}

step serve
{kept} --name {API_CONTAINER} -p {API_PORT}:{API_PORT} {_logging(boot, "api")} \\
  {_confined(boot)} --tmpfs /tmp {boot.image}

step relay
{kept} --name {API_CONTAINER}-outbox {_logging(boot, "outbox")} \\
  {_confined(boot)} --tmpfs /tmp {boot.image} {manage} relay_outbox

step end
""",
        )
    )


def _prelude(boot: Boot) -> str:
    """Strictness, the failure report, and who this instance is (IMDSv2)."""
    return f"""#!/bin/bash
set -Eeuo pipefail
umask 077
export AWS_DEFAULT_REGION={boot.region}
STEP=start
INSTANCE_ID=unknown
mkdir -p /etc/academy /var/lib/academy
exec >>/var/log/academy-boot.log 2>&1

step() {{
  STEP=$1
  echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) step=$STEP"
}}

report_failure() {{
  local code=$?
  trap - ERR
  set +e
  echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) step=$STEP failed exit=$code line=$1"
  tail -c 200000 /var/log/academy-boot.log | python3 -c 'import json, sys, time
print(json.dumps([{{"timestamp": int(time.time() * 1000), "message": sys.stdin.read()}}]))' \\
    >/var/lib/academy/log-events.json
  aws logs create-log-stream --log-group-name {boot.log_group} \\
    --log-stream-name "boot/$INSTANCE_ID"
  aws logs put-log-events --log-group-name {boot.log_group} \\
    --log-stream-name "boot/$INSTANCE_ID" --log-events file:///var/lib/academy/log-events.json
  aws autoscaling set-instance-health --instance-id "$INSTANCE_ID" \\
    --health-status Unhealthy --no-should-respect-grace-period
  exit "$code"
}}
trap 'report_failure $LINENO' ERR

step identify
IMDS="${{AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254}}"
TOKEN=$(curl -fsS --retry 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' \\
  "${{IMDS%/}}/latest/api/token")
INSTANCE_ID=$(curl -fsS --retry 5 -H "X-aws-ec2-metadata-token: $TOKEN" \\
  "${{IMDS%/}}/latest/meta-data/instance-id")
echo "instance=$INSTANCE_ID"
"""


def _docker(boot: Boot) -> str:
    return f"""step docker
dnf install -y docker
systemctl enable --now docker

step pull
aws ecr get-login-password | docker login --username AWS --password-stdin {boot.registry}
docker pull {boot.image}
"""


def _render(boot: Boot, *, role: str, target: str) -> str:
    """Write the environment file, readable by root alone, in one move."""
    return f"""step configure
mkdir -p {target.rpartition("/")[0]}
docker run --rm -e AWS_DEFAULT_REGION={boot.region} {boot.image} \\
  python -m worker_images.base.render_env --role {role} --path {boot.path} >{target}.new
mv {target}.new {target}
"""


def _logging(boot: Boot, stream: str) -> str:
    """Logs to CloudWatch; without an answer from there lines are lost, and the container goes on.

    Docker's default would stop a container at its next line, and an API with it.
    """
    return (
        f"--log-driver awslogs --log-opt awslogs-group={boot.log_group} "
        f'--log-opt awslogs-stream="{stream}/$INSTANCE_ID" '
        "--log-opt mode=non-blocking --log-opt max-buffer-size=25m"
    )


def _confined(boot: Boot) -> str:
    return (
        "--read-only --cap-drop ALL --security-opt no-new-privileges "
        f"--stop-timeout {boot.stop_timeout_s}"
    )
