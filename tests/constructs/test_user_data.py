"""The boot scripts, really run by bash with stand-ins for what an instance has."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from config.contracts import metrics
from config.contracts.boot_records import BootRecord, decode_boot
from stacks.constructs.boot import Boot
from stacks.constructs.boot_outcome import WorkerBoot
from stacks.constructs.worker_user_data import worker_user_data

BOOT = Boot(
    region="ap-northeast-2",
    registry="1.dkr.ecr.ap-northeast-2.amazonaws.com",
    image="1.dkr.ecr.ap-northeast-2.amazonaws.com/academy-video-worker:abc",
    paths=["/academy/workers/env"],
    log_group="boot-logs",
    stop_timeout_s=20,
)
WORKER = WorkerBoot(
    environment="prod",
    kind="video",
    group="g",
    container="academy-video-worker",
    variables={},
    scratch="/dev/xvdb",
    limit_s=600,
    probe_every_s=300,
    pooled=False,
)
ABSOLUTE = (
    "/var/log/academy-boot.log",
    "/etc/academy",
    "/var/lib/academy",
    "/var/lib/cloud",
    "/home/ec2-user",
)
PROGRAMS = ("dnf", "systemctl", "curl", "docker", "aws", "sleep", "mkfs.xfs", "mount")
RUN = "docker run --name academy-video-worker"

#: What a program is called with is noted; a worker looks into its queue, works a moment and ends.
STAND_IN = """#!/bin/bash
called="$(basename "$0") $*"
echo "$called" >>"$CALLS"
# Time stands still for the watchdog until something hangs.
if [[ $called == "sleep 1" && $HANG != nothing-at-all ]]; then
  until [ -e "$ROOT/hung" ]; do /bin/sleep 0.05; done
fi
case "$called" in
  sleep*) exec /bin/sleep 0.05 ;;
  *put-log-events*) cat "$ROOT/var/lib/academy/log-events.json" >>"$CALLS.events" ;;
  *api/token*) echo token ;;
  *target-lifecycle-state*)
    head -n 1 "$ROOT/states"
    if [ "$(wc -l <"$ROOT/states")" -gt 1 ]; then sed -i 1d "$ROOT/states"; fi ;;
  *instance-identity/document*) echo '{"pendingTime" : "2026-01-05T09:00:00Z", "a": 1}' ;;
  *instance-id*) [[ "$*" == *"aws-ec2-metadata-token: token"* ]] && echo i-0abc ;;
  *render_env*) printf 'DB_HOST=db\\nDB_PASSWORD=open-sesame\\n' ;;
esac
if [[ "$called" =~ $HANG ]]; then
  touch "$ROOT/hung"
  exec /bin/sleep 60
fi
if [[ "$called" =~ $FAIL ]]; then echo "$COMPLAINT" >&2; exit 7; fi
if [[ "$called" == "docker run --name"* ]]; then
  if [ -z "$BLIND" ]; then touch "$ROOT/var/lib/academy/tmp/academy-worker-polled"; fi
  exit "$ENDS"
fi
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

    def steps(self) -> list[str]:
        return re.findall(r"^\d{4}-\d\d-\d\dT[\d:]{8}Z step=(\S+) \S+_s=[\d.]+$", self.log(), re.M)

    def sent(self) -> list[str]:
        """Return the messages that CloudWatch Logs was given, in order."""
        lines = (self.root / "calls.events").read_text("utf-8").splitlines()
        return [event["message"] for line in lines for event in json.loads(line)]

    def record(self) -> BootRecord:
        """Return the one boot record."""
        [line] = [each for each in self.sent() if '"_aws"' in each]
        return decode_boot(line)

    def embedded(self) -> dict[str, Any]:
        [line] = [each for each in self.sent() if '"_aws"' in each]
        return dict(json.loads(line))

    def called(self, part: str) -> list[str]:
        return [call for call in self.calls if part in call]


def boot(script: str, tmp_path: Path, **told: str) -> Outcome:
    """Run a script with its absolute paths below a folder and stand-ins for its programs.

    FAIL and HANG are patterns of calls that do, COMPLAINT is what these say. ENDS is the worker's
    exit code; with BLIND it does not look into its queue.
    """
    programs = tmp_path / "bin"
    programs.mkdir(exist_ok=True)
    for name in PROGRAMS:
        (programs / name).write_text(STAND_IN, "utf-8")
        (programs / name).chmod(0o755)
    for path in ABSOLUTE:
        script = script.replace(path, f"{tmp_path}{path}")
    for folder in ("var/log", "etc", "var/lib", "home/ec2-user"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    file = tmp_path / "user-data.sh"
    file.write_text(script, "utf-8")
    return run(["/bin/bash", str(file)], tmp_path, **told)


def run(command: list[str], root: Path, **told: str) -> Outcome:
    """Run a command on the machine below `root`, which keeps what earlier ones left."""
    calls = root / "calls"
    for file in (calls, root / "calls.events"):
        file.unlink(missing_ok=True)
    done = subprocess.run(
        command,
        env={
            "PATH": f"{root}/bin:{os.environ['PATH']}",
            "CALLS": str(calls),
            "ROOT": str(root),
            "COMPLAINT": "",
            "ENDS": "0",
            "BLIND": "",
            **{"FAIL": "nothing-at-all", "HANG": "nothing-at-all", **told},
        },
        check=False,
        timeout=60,
    )
    return Outcome(done.returncode, calls.read_text("utf-8").splitlines(), root)


def worker(**changes: Any) -> str:
    return worker_user_data(BOOT, replace(WORKER, **changes))


def test_a_worker_boots_in_order_and_lets_its_instance_go(tmp_path: Path) -> None:
    outcome = boot(worker(variables={"VIDEO_LADDER": "360:800,720:2500"}), tmp_path)
    assert outcome.code == 0
    assert outcome.steps() == [
        *("identify", "stay", "docker", "pull", "scratch", "configure", "run", "work", "leave"),
        "end",
    ]
    assert "-e VIDEO_LADDER=360:800,720:2500" in " ".join(outcome.calls)
    [completed] = outcome.called("complete-lifecycle-action")
    assert "--instance-id i-0abc" in completed


def test_the_environment_file_is_for_root_alone(tmp_path: Path) -> None:
    outcome = boot(worker(), tmp_path)
    rendered = outcome.root / "etc/academy/worker.env"
    assert rendered.read_text("utf-8") == "DB_HOST=db\nDB_PASSWORD=open-sesame\n"
    assert rendered.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("fail_on", "step"),
    [
        ("api/token", "identify"),
        ("mkfs.xfs", "scratch"),
        ("mount -o", "scratch"),
        ("dnf install", "docker"),
        ("get-login-password", "pull"),
        ("docker login", "pull"),
        ("docker pull", "pull"),
        ("render_env", "configure"),
        (RUN, "run"),
    ],
)
def test_a_failed_step_stops_the_boot_and_ends_the_instance_and_its_place_in_the_group(
    tmp_path: Path, fail_on: str, step: str
) -> None:
    outcome = boot(worker(), tmp_path, FAIL=fail_on, COMPLAINT=f"cannot {step} today")
    assert outcome.code == 7
    assert f"step={step} failed exit=7" in outcome.log()
    record = outcome.record()
    assert (record.failed, record.step, record.reason) == (True, step, f"cannot {step} today")
    assert f"step={step} failed" in outcome.sent()[-1]
    ended = outcome.calls.index(outcome.called("terminate-instance-in-auto-scaling-group")[0])
    assert "--should-decrement-desired-capacity" in outcome.calls[ended]
    assert any("put-log-events" in call for call in outcome.calls[:ended])
    assert "complete-lifecycle-action" in outcome.calls[-1]
    assert not outcome.called("set-instance-health")


def test_an_instance_that_its_group_keeps_is_there_to_be_looked_at_and_then_replaced(
    tmp_path: Path,
) -> None:
    outcome = boot(worker(), tmp_path, FAIL="docker pull|terminate-instance")
    assert outcome.code == 7
    asked, waited, unhealthy = outcome.calls[-3:]
    assert "terminate-instance-in-auto-scaling-group --instance-id i-0abc" in asked
    assert waited == "sleep 300"
    assert "set-instance-health --instance-id i-0abc --health-status Unhealthy" in unhealthy


def test_a_boot_that_works_is_on_record_when_its_worker_looks_into_its_queue(
    tmp_path: Path,
) -> None:
    outcome = boot(worker(), tmp_path)
    record = outcome.record()
    assert (record.instance_id, record.failed) == ("i-0abc", False)
    assert (record.step, record.reason) == ("", "")
    line = outcome.embedded()
    steps = ["launch", "start", "identify", "stay", "docker", "pull", "scratch", "configure", "run"]
    assert list(line["steps"]) == steps
    launched = datetime.fromisoformat("2026-01-05T09:00:00+00:00").timestamp()
    assert line["_aws"]["Timestamp"] / 1000 - launched == pytest.approx(record.seconds, abs=1)
    assert sum(line["steps"].values()) == pytest.approx(record.seconds, abs=0.1)
    assert outcome.log().index("step=work") < outcome.log().index("step=leave")


@pytest.mark.parametrize("locale", ["C", "C.UTF-8", "POSIX"])
def test_a_log_that_is_no_text_is_told_all_the_same(tmp_path: Path, locale: str) -> None:
    said = "사진이 없습니다".encode()[:-1].decode("utf-8", "surrogateescape")
    outcome = boot(worker(), tmp_path, FAIL="docker pull", COMPLAINT=said, LC_ALL=locale)
    assert outcome.record().reason == "사진이 없습니\ufffd"
    assert "사진이" in outcome.sent()[-1]


def test_a_record_that_nobody_takes_stops_no_worker(tmp_path: Path) -> None:
    outcome = boot(worker(), tmp_path, FAIL="put-log-events")
    assert outcome.code == 0
    assert outcome.steps()[-2:] == ["leave", "end"]


@pytest.mark.parametrize("failed", [False, True])
def test_the_record_is_an_embedded_metric_of_its_fleet(tmp_path: Path, failed: bool) -> None:
    script = worker(environment="dev", kind="ai")
    line = boot(script, tmp_path, FAIL="docker pull" if failed else "nothing-at-all").embedded()
    dimensions = metrics.worker_dimensions("dev", "ai")
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == metrics.WORKERS_NAMESPACE
    assert directive["Dimensions"] == [list(dimensions)]
    assert {key: line[key] for key in dimensions} == dimensions
    names = {each["Name"] for each in directive["Metrics"]}
    assert names == {metrics.BOOTS_FAILED, *([] if failed else [metrics.BOOT_S])}
    assert line[metrics.BOOTS_FAILED] == int(failed)


@pytest.mark.parametrize("ends", ["75", "1"])
def test_a_worker_that_breaks_down_later_is_replaced_and_is_no_failed_boot(
    tmp_path: Path, ends: str
) -> None:
    outcome = boot(worker(), tmp_path, ENDS=ends)
    assert outcome.code == int(ends)
    assert not outcome.record().failed
    assert "step=work failed" in outcome.sent()[-1]
    assert "set-instance-health --instance-id i-0abc" in outcome.calls[-1]
    assert not outcome.called("terminate-instance")


@pytest.mark.parametrize(("hang", "step"), [("docker pull", "pull"), ("api/token", "identify")])
def test_a_boot_that_hangs_fails_at_its_limit_in_the_step_where_it_hung(
    tmp_path: Path, hang: str, step: str
) -> None:
    outcome = boot(worker(limit_s=1), tmp_path, HANG=hang)
    record = outcome.record()
    assert (record.failed, record.step) == (True, step)
    assert record.reason == "hung: no worker has looked into its queue within 1 s"
    assert outcome.called("terminate-instance-in-auto-scaling-group")


def test_a_worker_that_never_looks_into_its_queue_fails_the_boot_and_is_ended_first(
    tmp_path: Path,
) -> None:
    outcome = boot(worker(limit_s=1), tmp_path, HANG=RUN)
    assert outcome.record().step == "run"
    removed, ended = (
        max(i for i, call in enumerate(outcome.calls) if call.startswith(beginning))
        for beginning in ("docker rm --force academy-video-worker", "aws autoscaling terminate")
    )
    assert removed < ended


def test_a_worker_whose_instance_is_taken_away_before_it_began_is_on_no_record(
    tmp_path: Path,
) -> None:
    outcome = boot(worker(), tmp_path, BLIND="yes")
    assert outcome.code == 0
    assert not (tmp_path / "calls.events").exists()
    assert outcome.steps()[-2:] == ["leave", "end"]


def test_the_reason_is_the_last_line_that_says_something_and_no_secret(tmp_path: Path) -> None:
    hint = "Run 'docker run --help' for more information"
    said = f'it said "no"\n\tpassword open-sesame refused\033[0m {"x" * 400}\n{hint}\n\n'
    outcome = boot(worker(), tmp_path, FAIL=RUN, COMPLAINT=said)
    reason = outcome.record().reason
    assert reason.startswith("password (hidden) refused")
    assert len(reason) == 300
    assert reason.isprintable()
    assert not any("open-sesame" in message for message in outcome.sent())
    assert "db" in outcome.root.joinpath("etc/academy/worker.env").read_text("utf-8")


def test_a_boot_without_room_on_its_disk_fails_as_any_other(tmp_path: Path) -> None:
    """Nothing can be told then; the instance goes all the same."""
    (tmp_path / "var/lib/academy/report.py").mkdir(parents=True)
    outcome = boot(worker(), tmp_path)
    assert outcome.code == 1
    assert outcome.called("terminate-instance-in-auto-scaling-group")


def test_a_failed_render_starts_no_container_and_leaves_no_file(tmp_path: Path) -> None:
    outcome = boot(worker(), tmp_path, FAIL="render_env")
    assert not any("--env-file" in call for call in outcome.calls)
    assert not (outcome.root / "etc/academy/worker.env").exists()


def test_a_hook_that_is_not_waiting_yet_is_asked_again_and_fails_nothing(tmp_path: Path) -> None:
    outcome = boot(worker(), tmp_path, FAIL="complete-lifecycle-action")
    asked = [call for call in outcome.calls if "complete-lifecycle-action" in call]
    assert (outcome.code, len(asked)) == (0, 10)


def test_values_survive_the_shell(tmp_path: Path) -> None:
    outcome = boot(worker(variables={"ODD": "a b'c\"d $HOME"}), tmp_path)
    assert any("-e ODD=a b'c\"d $HOME" in call for call in outcome.calls)


def test_a_log_that_nobody_takes_stops_no_container(tmp_path: Path) -> None:
    logging = [call for call in boot(worker(), tmp_path).calls if "--log-driver awslogs" in call]
    assert logging
    assert all("--log-opt mode=non-blocking" in call for call in logging)
