"""What every boot script shares: a bash script that stops at its first failure.

The same script runs on EC2 and in the embedded AWS. It may write below /var/log/academy-boot.log,
/etc/academy, /var/lib/academy, /var/lib/cloud/scripts/per-boot and /home/ec2-user alone. Every step
is logged with its UTC time; a failure is logged with its step and line, the log is sent to
CloudWatch Logs, and the instance is declared unhealthy, so that another one takes its place instead
of a container restarting in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Boot:
    """What both scripts need. `registry` is the host of `image`; `paths` are rendered."""

    region: str
    registry: str
    image: str
    paths: Sequence[str]
    log_group: str
    stop_timeout_s: int


def prelude(boot: Boot) -> str:
    """Strictness, the failure report, and who this instance is (IMDSv2).

    A script may define `on_failure` anew: it is called once the report is sent.
    """
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

fail() {{
  echo "$*"
  return 1
}}

send_log() {{
  python3 -c 'import json, sys, time
print(json.dumps([{{"timestamp": int(time.time() * 1000), "message": sys.stdin.read()}}]))' \\
    >/var/lib/academy/log-events.json
  aws logs create-log-stream --log-group-name {boot.log_group} \\
    --log-stream-name "$1/$INSTANCE_ID" || echo "the stream is there already"
  aws logs put-log-events --log-group-name {boot.log_group} \\
    --log-stream-name "$1/$INSTANCE_ID" --log-events file:///var/lib/academy/log-events.json
}}

on_failure() {{ :; }}

report_failure() {{
  local code=$?
  trap - ERR
  set +e
  echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) step=$STEP failed exit=$code line=$1"
  tail -c 200000 /var/log/academy-boot.log | send_log boot
  on_failure
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


def docker(boot: Boot) -> str:
    """Install and start the engine, for every later boot too, and pull the image."""
    return f"""step docker
dnf install -y docker
systemctl enable --now docker

step pull
aws ecr get-login-password | docker login --username AWS --password-stdin {boot.registry}
docker pull {boot.image}
"""


def render(boot: Boot, *, role: str, target: str) -> str:
    """Write the environment file, readable by root alone, in one move."""
    return f"""step configure
mkdir -p {target.rpartition("/")[0]}
{render_command(boot, role=role)} >{target}.new
mv {target}.new {target}
"""


def render_command(boot: Boot, *, role: str) -> str:
    """Print a role's environment, or say on standard error why not and exit 1."""
    paths = " ".join(f"--path {path}" for path in boot.paths)
    return f"""docker run --rm --no-healthcheck -e AWS_DEFAULT_REGION={boot.region} {boot.image} \\
  python -m worker_images.base.render_env --role {role} {paths}"""


def logging(boot: Boot, stream: str) -> str:
    """Logs to CloudWatch; without an answer from there lines are lost, and the container goes on.

    Docker's default would stop a container at its next line, and an API with it.
    """
    return (
        f"--log-driver awslogs --log-opt awslogs-group={boot.log_group} "
        f'--log-opt awslogs-stream="{stream}/$INSTANCE_ID" '
        "--log-opt mode=non-blocking --log-opt max-buffer-size=25m"
    )


def confined(boot: Boot) -> str:
    """Nothing to write to, no capability, no new privilege; the time to end in."""
    return (
        "--read-only --cap-drop ALL --security-opt no-new-privileges "
        f"--stop-timeout {boot.stop_timeout_s}"
    )
