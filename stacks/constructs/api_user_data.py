"""What an API instance does when it boots, and afterwards when its configuration changes."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from config.contracts.environment import CONFIGURATION
from config.contracts.names import API_CONTAINER, API_ENV_FILE, API_PORT
from stacks.constructs.boot import (
    Boot,
    confined,
    docker,
    identify,
    logging,
    prelude,
    render,
    render_command,
)

MANAGE = "python -m worker_images.api.manage"
OUTBOX = f"{API_CONTAINER}-outbox"
#: Instances make their containers anew one after the other, this far apart (seconds).
TURN_S = 15
_KEPT = (
    *("serve", "relay", "remove", "rendered"),
    *("send_log", "note", "turn", "version", "refresh", "stay_current"),
)


@dataclass(frozen=True)
class Rollout:
    """How a release is told from a bad one.

    CloudFormation waits for a signal to the resource `group` of `stack`. An instance must be
    healthy behind `targets` within `boot_s` of its boot; during an update it then watches that,
    and the `alarms`, for `bake_s`. `release` is what migrations are recorded under.
    """

    release: str
    stack: str
    group: str
    targets: str
    alarms: Sequence[str]
    boot_s: int
    bake_s: int


def api_user_data(boot: Boot, rollout: Rollout) -> str:
    """Return the script: migrate once a release, serve and relay, say how that went, stay current.

    An instance that boots outside of a deploy serves without being watched.
    """
    return "\n".join(
        (
            prelude(boot),
            identify(),
            _containers(boot),
            _signals(rollout),
            docker(boot),
            render(boot, role="api", target=API_ENV_FILE),
            f"""step release
DEPLOY=$(aws cloudformation describe-stacks --stack-name {rollout.stack} \\
  --query 'Stacks[0].StackStatus' --output text)
echo "deploy=$DEPLOY"
KNOWN=$(alarming)

step migrate
docker run --rm --name {API_CONTAINER}-migrate --no-healthcheck --env-file {API_ENV_FILE} \\
  {logging(boot, "migrate")} {confined(boot)} --tmpfs /tmp \\
  {boot.image} {MANAGE} migrate_once --release {shlex.quote(rollout.release)}

step serve
serve {API_ENV_FILE}

step relay
relay {API_ENV_FILE}

step stay-current
{_service(rollout)}
step watch
if [[ $DEPLOY == *_IN_PROGRESS ]]; then
  await_health
  if [ "$DEPLOY" = UPDATE_IN_PROGRESS ]; then bake; fi
  signal SUCCESS
fi
step end
""",
        )
    )


def _containers(boot: Boot) -> str:
    kept = 'docker run -d --restart unless-stopped --env-file "$1"'
    return f"""serve() {{
  {kept} --name {API_CONTAINER} -p {API_PORT}:{API_PORT} {logging(boot, "api")} \\
    {confined(boot)} --tmpfs /tmp {boot.image}
}}

relay() {{
  {kept} --name {OUTBOX} --no-healthcheck {logging(boot, "outbox")} \\
    {confined(boot)} --tmpfs /tmp {boot.image} {MANAGE} relay_outbox
}}

remove() {{
  docker stop "$1" || echo "$1 was not running"
  docker rm --force "$1"
}}

rendered() {{
  {render_command(boot, role="api")} --previous-keys "$1"
}}
"""


def _signals(rollout: Rollout) -> str:
    """The verdict on a release. An alarm that was on before counts once it has been off."""
    return f"""target_state() {{
  aws elbv2 describe-target-health --target-group-arn {rollout.targets} \\
    --targets "Id=$INSTANCE_ID" --query 'TargetHealthDescriptions[0].TargetHealth.State' \\
    --output text
}}

alarming() {{
  aws cloudwatch describe-alarms --alarm-names {" ".join(rollout.alarms)} --state-value ALARM \\
    --query 'MetricAlarms[].AlarmName' --output text
}}

await_health() {{
  until [ "$(target_state)" = healthy ]; do
    [ "$SECONDS" -lt {rollout.boot_s} ] || fail "not healthy within {rollout.boot_s} s of the boot"
    sleep 2
  done
}}

bake() {{
  local end=$((SECONDS + {rollout.bake_s})) now name
  while [ "$SECONDS" -lt "$end" ]; do
    sleep 5
    [ "$(target_state)" = healthy ] || fail "unhealthy again"
    now=$(alarming)
    for name in $now; do
      [[ " ${{KNOWN//[[:space:]]/ }} " == *" $name "* ]] || fail "alarm $name went off"
    done
    KNOWN=$now
  done
}}

signal() {{
  aws cloudformation signal-resource --stack-name {rollout.stack} \\
    --logical-resource-id {rollout.group} --unique-id "$INSTANCE_ID" --status "$1" ||
    echo "no deploy waits for this instance"
}}

on_failure() {{ signal FAILURE; }}
"""


def _service(rollout: Rollout) -> str:
    """Look at each full minute for another configuration; a reboot starts that again.

    A configuration that cannot be right is refused, told once, and the old one goes on. Instances
    have their turns by their ids, so that no two of them are away at the same time.
    """
    return f"""turn() {{
  local id before=0
  for id in $(aws elbv2 describe-target-health --target-group-arn {rollout.targets} \\
    --query 'TargetHealthDescriptions[].Target.Id' --output text); do
    if [[ $id < $INSTANCE_ID ]]; then before=$((before + 1)); fi
  done
  echo $((before * {TURN_S} % 60))
}}

note() {{
  echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $*" | tee /dev/stderr | send_log refresh ||
    echo "CloudWatch Logs did not take that"
}}

version() {{
  grep '^{CONFIGURATION}=' "$1"
}}

refresh() {{
  local keys wait
  keys=$(cut -d= -f1 {API_ENV_FILE} | paste -sd,)
  if ! rendered "$keys" >{API_ENV_FILE}.new 2>/etc/academy/refused.new; then
    if ! cmp -s /etc/academy/refused.new /etc/academy/refused; then
      note "ERROR configuration refused, the one in use stays: $(cat /etc/academy/refused.new)"
      mv /etc/academy/refused.new /etc/academy/refused
    fi
    return 0
  fi
  rm -f /etc/academy/refused
  if [ "$(version {API_ENV_FILE}.new)" = "$(version {API_ENV_FILE})" ]; then return 0; fi
  wait=$(turn)
  note "configuration changed, new containers in $wait s"
  sleep "$wait"
  remove {API_CONTAINER}
  serve {API_ENV_FILE}.new
  remove {OUTBOX}
  relay {API_ENV_FILE}.new
  mv {API_ENV_FILE}.new {API_ENV_FILE}  # last: what fails before is tried again
}}

stay_current() {{
  while sleep $((60 - $(date +%s) % 60)); do refresh; done
}}

{{
  echo 'set -Eeuo pipefail; umask 077'
  declare -p INSTANCE_ID AWS_DEFAULT_REGION
  declare -f {" ".join(_KEPT)}
  echo stay_current
}} >/etc/academy/stay-current.sh
cat >/etc/academy/academy-stay-current.service <<'UNIT'
[Unit]
Description=Makes the API's containers anew when their configuration changes
After=docker.service
Wants=docker.service

[Service]
ExecStart=/bin/bash /etc/academy/stay-current.sh
Restart=always
RestartSec=10

[Install]
WantedBy=multi-user.target
UNIT
systemctl enable --now /etc/academy/academy-stay-current.service
"""
