"""The API's boot script and its look-out for another configuration, really run by bash."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from stacks.constructs.api_user_data import Rollout, api_user_data
from stacks.constructs.boot import Boot

BOOT = Boot(
    region="ap-northeast-2",
    registry="1.dkr.ecr.ap-northeast-2.amazonaws.com",
    image="1.dkr.ecr.ap-northeast-2.amazonaws.com/academy-api:abc",
    paths=["/academy/api/env"],
    log_group="logs",
    stop_timeout_s=20,
)
ROLLOUT = Rollout(
    release="abc",
    stack="academy-prod-api",
    group="ApiGroup",
    targets="arn:targets",
    alarms=["errors", "latency"],
    boot_s=60,
    bake_s=1,
)
PATHS = ("/var/log/academy-boot.log", "/etc/academy", "/var/lib/academy", "/home/ec2-user")
#: `$ANSWERS/<name>` holds one answer a line; the last is given again and again.
STAND_IN = """#!/bin/bash
called="$(basename "$0") $*"
echo "$called" >>"$CALLS"
answer() {
  head -n 1 "$ANSWERS/$1"
  if [ "$(wc -l <"$ANSWERS/$1")" -gt 1 ]; then sed -i 1d "$ANSWERS/$1"; fi
}
case "$called" in *$FAIL*) echo "$called failed" >&2; exit 7 ;; esac
case "$called" in
  *api/token*) echo token ;;
  *instance-id*) echo i-0abc ;;
  *render_env*)
    line=$(answer environment)
    if [ "$line" = refused ]; then echo "render_env: DB_HOST is empty" >&2; exit 1; fi
    echo "$line" ;;
  *describe-stacks*) answer deploy ;;
  *describe-alarms*) answer alarms ;;
  *TargetHealthDescriptions[].Target.Id*) echo "i-0aaa i-0abc i-0aab" ;;
  *describe-target-health*) answer target ;;
  sleep*) answer sleep >/dev/null; /bin/sleep 0.1; [ "$(answer rounds)" != over ] ;;
esac
"""


@dataclass
class Machine:
    """An instance: what it is answered, and what it did."""

    root: Path
    fail: str = "nothing-at-all"
    answers: dict[str, str] = field(
        default_factory=lambda: {
            "deploy": "UPDATE_IN_PROGRESS",
            "target": "healthy",
            "alarms": "",
            "environment": "CONFIGURATION=1",
            "sleep": "",
            "rounds": "",
        }
    )

    def boot(self, rollout: Rollout = ROLLOUT) -> int:
        script = api_user_data(BOOT, rollout)
        for path in PATHS:
            script = script.replace(path, f"{self.root}{path}")
        for folder in ("var/log", "etc", "var/lib", "home/ec2-user", "bin", "answers"):
            (self.root / folder).mkdir(parents=True)
        for name in ("dnf", "systemctl", "curl", "docker", "aws", "sleep"):
            (self.root / "bin" / name).write_text(STAND_IN, "utf-8")
            (self.root / "bin" / name).chmod(0o755)
        return self.run(["/bin/bash", "-c", script])

    def watch_configuration(self) -> int:
        """Run what the service of the unit file runs."""
        unit = (self.root / "etc/academy/academy-stay-current.service").read_text("utf-8")
        [command] = [line for line in unit.splitlines() if line.startswith("ExecStart=")]
        (self.root / "calls").unlink()
        return self.run(command.removeprefix("ExecStart=").split())

    def run(self, command: list[str]) -> int:
        for name, text in self.answers.items():
            (self.root / "answers" / name).write_text(f"{text}\n", "utf-8")
        environment = {
            "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}",
            "CALLS": str(self.root / "calls"),
            "ANSWERS": str(self.root / "answers"),
            "FAIL": self.fail,
        }
        return subprocess.run(command, env=environment, check=False, timeout=60).returncode

    @property
    def calls(self) -> list[str]:
        return (self.root / "calls").read_text("utf-8").splitlines()

    def called(self, part: str) -> list[str]:
        return [call for call in self.calls if part in call]

    @property
    def log(self) -> str:
        return (self.root / "var/log/academy-boot.log").read_text("utf-8")

    @property
    def environment(self) -> str:
        return (self.root / "home/ec2-user/.env").read_text("utf-8")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_it_migrates_serves_relays_and_says_so_once_it_is_healthy(machine: Machine) -> None:
    machine.answers["target"] = "initial\nunhealthy\nhealthy"
    assert machine.boot() == 0
    [migrate] = machine.called("migrate_once --release abc")
    [serve] = machine.called("--name academy-api -p 8000:8000")
    [relay] = machine.called("relay_outbox")
    [signal] = machine.called("signal-resource")
    health = machine.called("describe-target-health")[2]
    order = [machine.calls.index(call) for call in (migrate, serve, relay, health, signal)]
    assert order == sorted(order)
    assert "--restart unless-stopped" in serve
    assert "--no-healthcheck" in relay
    assert "--no-healthcheck" in migrate
    assert signal.endswith(
        "--stack-name academy-prod-api --logical-resource-id ApiGroup --unique-id i-0abc "
        "--status SUCCESS"
    )


def test_all_its_containers_log_without_being_held_up(machine: Machine) -> None:
    machine.boot()
    logging = machine.called("--log-driver awslogs")
    assert len(logging) == 3
    assert all("--log-opt mode=non-blocking" in call for call in logging)


@pytest.mark.parametrize(
    "fail", ["dnf install", "docker pull", "render_env", "migrate_once", "-p 8000:8000"]
)
def test_a_failed_step_is_signalled_so_that_the_release_is_rolled_back(
    machine: Machine, fail: str
) -> None:
    machine.fail = fail
    assert machine.boot() != 0
    assert machine.called("signal-resource")[-1].endswith("--status FAILURE")
    assert machine.called("logs put-log-events")
    assert "set-instance-health --instance-id i-0abc" in machine.calls[-1]


def test_an_api_that_cannot_migrate_does_not_serve(machine: Machine) -> None:
    machine.fail = "migrate_once"
    assert machine.boot() == 7
    assert machine.called("-p 8000:8000") == []


def test_an_api_that_never_gets_healthy_fails_the_release(machine: Machine) -> None:
    machine.answers["target"] = "unhealthy"
    assert machine.boot(replace(ROLLOUT, boot_s=1)) != 0
    assert "not healthy within 1 s of the boot" in machine.log
    assert machine.called("--status FAILURE")


def test_an_api_that_turns_unhealthy_while_it_bakes_fails_the_release(machine: Machine) -> None:
    machine.answers["target"] = "healthy\nunhealthy"
    assert machine.boot() != 0
    assert machine.called("--status FAILURE")


def test_an_alarm_that_goes_off_while_it_bakes_fails_the_release(machine: Machine) -> None:
    machine.answers["alarms"] = "\n\nlatency"
    assert machine.boot(replace(ROLLOUT, bake_s=600)) != 0
    assert "alarm latency went off" in machine.log
    assert machine.called("--status FAILURE")


def test_an_alarm_of_the_version_before_does_not_stop_the_one_that_mends_it(
    machine: Machine,
) -> None:
    machine.answers["alarms"] = "errors\tlatency\nerrors\nerrors"
    assert machine.boot() == 0
    assert machine.called("--status SUCCESS")


def test_an_alarm_that_was_over_and_comes_back_is_the_new_versions(machine: Machine) -> None:
    machine.answers["alarms"] = "errors\n\nerrors"
    assert machine.boot(replace(ROLLOUT, bake_s=600)) != 0
    assert machine.called("--status FAILURE")


@pytest.mark.parametrize("deploy", ["CREATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"])
def test_the_first_version_and_the_one_before_are_not_baked(machine: Machine, deploy: str) -> None:
    machine.answers |= {"deploy": deploy, "alarms": "\nerrors"}
    assert machine.boot(replace(ROLLOUT, bake_s=600)) == 0
    assert machine.called("--status SUCCESS")


def test_outside_of_a_deploy_nobody_is_told_and_it_serves(machine: Machine) -> None:
    machine.answers |= {"deploy": "UPDATE_COMPLETE", "target": "unhealthy"}
    assert machine.boot() == 0
    assert machine.called("signal-resource") == []


def test_a_signal_that_nobody_waits_for_does_not_end_the_boot(machine: Machine) -> None:
    machine.fail = "signal-resource"
    assert machine.boot() == 0
    assert "no deploy waits for this instance" in machine.log


def test_what_looks_out_for_configuration_survives_a_reboot(machine: Machine) -> None:
    machine.boot()
    [enabled] = machine.called("academy-stay-current.service")
    assert "systemctl enable --now" in enabled
    unit = (machine.root / "etc/academy/academy-stay-current.service").read_text("utf-8")
    assert {"Restart=always", "WantedBy=multi-user.target"} <= set(unit.splitlines())


def test_an_unchanged_configuration_leaves_the_containers_alone(machine: Machine) -> None:
    machine.boot()
    machine.answers["rounds"] = "\n\nover"
    machine.watch_configuration()
    assert len(machine.called("render_env")) == 2
    assert machine.called("docker stop") == machine.called("-p 8000:8000") == []


def test_a_changed_configuration_makes_both_containers_anew_in_the_instances_turn(
    machine: Machine,
) -> None:
    machine.boot()
    machine.answers |= {"environment": "CONFIGURATION=2", "rounds": "\n\n\nover"}
    machine.watch_configuration()
    assert machine.environment == "CONFIGURATION=2\n"
    assert "sleep 30" in machine.calls  # two of three instances come before
    steps = ["docker stop academy-api", "-p 8000:8000", "academy-api-outbox", "relay_outbox"]
    at = [machine.calls.index(machine.called(step)[0]) for step in steps]
    assert at == sorted(at)
    assert len(machine.called("-p 8000:8000")) == 1
    assert "--previous-keys CONFIGURATION" in machine.called("render_env")[0]


def test_a_refused_configuration_keeps_the_old_one_and_is_told_once(machine: Machine) -> None:
    machine.boot()
    machine.answers |= {"environment": "refused", "rounds": "\n\n\nover"}
    machine.watch_configuration()
    assert machine.environment == "CONFIGURATION=1\n"
    assert machine.called("docker stop") == []
    assert len(machine.called("render_env")) == 3
    assert len(machine.called("put-log-events")) == 1
    told = (machine.root / "var/lib/academy/log-events.json").read_text("utf-8")
    assert "ERROR configuration refused" in told
    assert "DB_HOST is empty" in told


def test_containers_that_could_not_be_made_anew_are_tried_again(machine: Machine) -> None:
    machine.boot()
    machine.answers["environment"] = "CONFIGURATION=2"
    machine.fail = "-p 8000:8000"
    assert machine.watch_configuration() != 0
    assert machine.environment == "CONFIGURATION=1\n"
    machine.fail = "nothing-at-all"
    machine.answers["rounds"] = "\n\nover"
    machine.watch_configuration()
    assert machine.environment == "CONFIGURATION=2\n"
