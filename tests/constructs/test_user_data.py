"""The boot scripts, really run by bash with stand-ins for what an instance has."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from stacks.constructs.boot import Boot
from stacks.constructs.worker_user_data import worker_user_data

BOOT = Boot(
    region="ap-northeast-2",
    registry="1.dkr.ecr.ap-northeast-2.amazonaws.com",
    image="1.dkr.ecr.ap-northeast-2.amazonaws.com/academy-video-worker:abc",
    paths=["/academy/workers/env"],
    log_group="boot-logs",
    stop_timeout_s=20,
)
ABSOLUTE = (
    "/var/log/academy-boot.log",
    "/etc/academy",
    "/var/lib/academy",
    "/var/lib/cloud",
    "/home/ec2-user",
)

STAND_IN = """#!/bin/bash
echo "$(basename "$0") $*" >>"$CALLS"
case "$(basename "$0") $*" in
  *api/token*) echo token ;;
  *instance-id*) [[ "$*" == *"aws-ec2-metadata-token: token"* ]] && echo i-0abc ;;
  *render_env*) echo "DB_HOST=db" ;;
esac
case "$(basename "$0") $*" in *$FAIL*) exit 7 ;; esac
exit 0
"""


@dataclass(frozen=True)
class Outcome:
    """How a boot ended: exit code, the calls it made in order, and its folder."""

    code: int
    calls: list[str]
    root: Path

    def log(self) -> str:
        return (self.root / "var/log/academy-boot.log").read_text("utf-8")


def boot(script: str, tmp_path: Path, *, fail_on: str = "nothing-at-all") -> Outcome:
    """Run a script with its absolute paths below a folder and stand-ins for its programs."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("dnf", "systemctl", "curl", "docker", "aws", "sleep", "mkfs.xfs", "mount"):
        (programs / name).write_text(STAND_IN, "utf-8")
        (programs / name).chmod(0o755)
    for path in ABSOLUTE:
        script = script.replace(path, f"{tmp_path}{path}")
    for folder in ("var/log", "etc", "var/lib", "home/ec2-user"):
        (tmp_path / folder).mkdir(parents=True)
    calls, file = tmp_path / "calls", tmp_path / "user-data.sh"
    file.write_text(script, "utf-8")
    done = subprocess.run(
        ["/bin/bash", str(file)],
        env={"PATH": f"{programs}:{os.environ['PATH']}", "CALLS": str(calls), "FAIL": fail_on},
        check=False,
        timeout=60,
    )
    return Outcome(done.returncode, calls.read_text("utf-8").splitlines(), tmp_path)


def worker(**environment: str) -> str:
    return worker_user_data(
        BOOT,
        kind="video",
        group="g",
        container="academy-video-worker",
        environment=environment,
        scratch="/dev/xvdb",
    )


def test_a_worker_boots_in_order_and_lets_its_instance_go(tmp_path: Path) -> None:
    outcome = boot(worker(VIDEO_LADDER="360:800,720:2500"), tmp_path)
    assert outcome.code == 0
    started = [line.partition("step=")[2] for line in outcome.log().splitlines() if "step=" in line]
    assert started == [
        *("identify", "stay", "scratch", "docker", "pull", "configure", "run", "leave", "end")
    ]
    assert "-e VIDEO_LADDER=360:800,720:2500" in " ".join(outcome.calls)
    assert "complete-lifecycle-action" in outcome.calls[-1]
    assert "--instance-id i-0abc" in outcome.calls[-1]


def test_the_environment_file_is_for_root_alone(tmp_path: Path) -> None:
    outcome = boot(worker(), tmp_path)
    rendered = outcome.root / "etc/academy/worker.env"
    assert rendered.read_text("utf-8") == "DB_HOST=db\n"
    assert rendered.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("fail_on", "step"),
    [
        ("mkfs.xfs", "scratch"),
        ("mount -o", "scratch"),
        ("dnf install", "docker"),
        ("docker login", "pull"),
        ("docker pull", "pull"),
        ("render_env", "configure"),
        ("docker run --name academy-video-worker", "run"),
    ],
)
def test_a_failed_step_stops_the_boot_sends_its_log_and_asks_for_another_instance(
    tmp_path: Path, fail_on: str, step: str
) -> None:
    outcome = boot(worker(), tmp_path, fail_on=fail_on)
    assert outcome.code == 7
    assert f"step={step} failed exit=7" in outcome.log()
    created, put, unhealthy = outcome.calls[-3:]
    assert "logs create-log-stream" in created
    assert "logs put-log-events" in put
    assert "set-instance-health --instance-id i-0abc --health-status Unhealthy" in unhealthy
    [event] = json.loads((outcome.root / "var/lib/academy/log-events.json").read_text("utf-8"))
    assert f"step={step} failed" in event["message"]


def test_a_failed_render_starts_no_container_and_leaves_no_file(tmp_path: Path) -> None:
    outcome = boot(worker(), tmp_path, fail_on="render_env")
    assert not any("--env-file" in call for call in outcome.calls)
    assert not (outcome.root / "etc/academy/worker.env").exists()


def test_a_hook_that_is_not_waiting_yet_is_asked_again_and_fails_nothing(tmp_path: Path) -> None:
    outcome = boot(worker(), tmp_path, fail_on="complete-lifecycle-action")
    asked = [call for call in outcome.calls if "complete-lifecycle-action" in call]
    assert (outcome.code, len(asked)) == (0, 3)


def test_values_survive_the_shell(tmp_path: Path) -> None:
    outcome = boot(worker(ODD="a b'c\"d $HOME"), tmp_path)
    assert any("-e ODD=a b'c\"d $HOME" in call for call in outcome.calls)


def test_a_log_that_nobody_takes_stops_no_container(tmp_path: Path) -> None:
    logging = [call for call in boot(worker(), tmp_path).calls if "--log-driver awslogs" in call]
    assert logging
    assert all("--log-opt mode=non-blocking" in call for call in logging)
