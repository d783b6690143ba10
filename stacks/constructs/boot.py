"""What every boot script shares: a bash script that stops at its first failure.

The same script runs on EC2 and in the embedded AWS. It may write below /var/log/academy-boot.log,
/etc/academy, /var/lib/academy, /var/lib/cloud/scripts/per-boot and /home/ec2-user alone. Every step
is logged with its UTC time, and with the seconds of the one before; a failure is logged with its
step and line, and the log is sent to CloudWatch Logs. The instance is then declared unhealthy, so
that another one takes its place instead of a container restarting in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BOOT_LOG = "/var/log/academy-boot.log"


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
    """Strictness, stamped steps and the failure report.

    A script may define anew what follows a failure: `tell`, `on_failure`, `give_up`, in this order.
    """
    return f"""#!/bin/bash
set -Eeuo pipefail
umask 077
export AWS_DEFAULT_REGION={boot.region}
STEP=start
STEPS=
SINCE=$EPOCHREALTIME
INSTANCE_ID=unknown
mkdir -p /etc/academy /var/lib/academy
exec >>{BOOT_LOG} 2>&1

{_steps()}
{_telling(boot)}
{_failing()}"""


def _steps() -> str:
    """Each step is stamped when it begins, with the seconds that the one before has taken."""
    return """now() { date -u +%Y-%m-%dT%H:%M:%SZ; }

lap() {
  local us
  us=$((${EPOCHREALTIME//[.,]/} - ${SINCE//[.,]/}))
  SINCE=$EPOCHREALTIME
  printf -v TOOK '%d.%03d' $((us / 1000000)) $((us / 1000 % 1000))
  STEPS+="$STEP=$TOOK "
}

step() {
  lap
  echo "$(now) step=$1 ${STEP}_s=$TOOK"
  STEP=$1
}

fail() {
  echo "$*"
  return 1
}
"""


def _telling(boot: Boot) -> str:
    """What stands on standard input, or at the end of the log, to a stream of this instance."""
    return f"""send_log() {{
  python3 -c 'import json, sys, time
text = sys.stdin.buffer.read().decode("utf-8", "replace")
print(json.dumps([{{"timestamp": int(time.time() * 1000), "message": text}}]))' \\
    >/var/lib/academy/log-events.json
  aws logs create-log-stream --log-group-name {boot.log_group} \\
    --log-stream-name "$1/$INSTANCE_ID" || echo "the stream is there already"
  aws logs put-log-events --log-group-name {boot.log_group} \\
    --log-stream-name "$1/$INSTANCE_ID" --log-events file:///var/lib/academy/log-events.json
}}

log_tail() {{ tail -c 200000 {BOOT_LOG}; }}

tell() {{ log_tail | send_log boot; }}
"""


def _failing() -> str:
    """The first command that fails ends the boot; one in a subshell is the script's to report."""
    return """on_failure() { :; }

unhealthy() {
  aws autoscaling set-instance-health --instance-id "$INSTANCE_ID" \\
    --health-status Unhealthy --no-should-respect-grace-period
}

give_up() { unhealthy; }

report_failure() {
  local code=$?
  [ "$BASH_SUBSHELL" -eq 0 ] || exit "$code"
  trap - ERR
  set +e
  lap
  echo "$(now) step=$STEP failed exit=$code line=$1"
  tell
  on_failure
  give_up
  exit "$code"
}
trap 'report_failure $LINENO' ERR
"""


def identify() -> str:
    """Who this instance is, and since when it runs, by its metadata service (IMDSv2).

    `pendingTime` is when EC2 launched or started the instance.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-identity-documents.html
    """
    return """step identify
IMDS="${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254}"
IMDS="${IMDS%/}/latest"
TOKEN=$(curl -fsS --retry 5 -m 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 21600' \\
  "$IMDS/api/token")

imds() { curl -fsS --retry 5 -m 5 -H "X-aws-ec2-metadata-token: $TOKEN" "$IMDS/$1"; }

INSTANCE_ID=$(imds meta-data/instance-id)
LAUNCHED=$(imds dynamic/instance-identity/document |
  sed -n 's/.*"pendingTime" *: *"\\([^"]*\\)".*/\\1/p')
echo "instance=$INSTANCE_ID launched=$LAUNCHED"
"""


def docker(boot: Boot) -> str:
    """Install and start the engine, for every later boot too, and pull the image."""
    return f"""step docker
dnf install -y docker
systemctl enable --now docker

step pull
PASSWORD=$(aws ecr get-login-password)
docker login --username AWS --password-stdin {boot.registry} <<<"$PASSWORD"
unset PASSWORD
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
