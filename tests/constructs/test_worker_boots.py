"""A worker's disk, its second boot and its time in a warm pool, really run by bash."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.constructs.test_user_data import Outcome, boot, run, worker


def at(calls: list[str], beginning: str) -> int:
    """Return where the first call with a beginning stands."""
    return next(i for i, call in enumerate(calls) if call.startswith(beginning))


def once_a_step(calls: list[str]) -> list[str]:
    """Return the calls without those that are made again and again while something takes time."""
    return [call for call in calls if not call.startswith("sleep")]


def test_the_scratch_disk_is_empty_and_mounted_before_the_container_gets_it(tmp_path: Path) -> None:
    calls = boot(worker(), tmp_path).calls
    made = at(calls, "mkfs.xfs -q -f -K /dev/xvdb")
    mounted = at(calls, f"mount -o noatime /dev/xvdb {tmp_path}/var/lib/academy/tmp")
    ran = at(calls, "docker run --name academy-video-worker")
    assert made < mounted < ran
    assert f"-v {tmp_path}/var/lib/academy/tmp:/tmp" in calls[ran]
    assert (tmp_path / "var/lib/academy/tmp").stat().st_mode & 0o7777 == 0o1777


def test_a_fleet_without_a_scratch_disk_touches_no_device(tmp_path: Path) -> None:
    outcome = boot(worker(scratch=None), tmp_path)
    assert outcome.code == 0
    assert not any("xvdb" in call for call in outcome.calls)


def test_a_rebooted_instance_does_everything_again_with_a_container_made_anew(
    tmp_path: Path,
) -> None:
    first = boot(worker(), tmp_path)
    [script] = (tmp_path / "var/lib/cloud/scripts/per-boot").iterdir()
    again = run([str(script)], tmp_path)
    assert again.code == 0
    assert once_a_step(again.calls) == once_a_step(first.calls)
    assert not again.record().failed
    removed = at(again.calls, "docker rm --force academy-video-worker")
    assert removed < at(again.calls, "docker run --name academy-video-worker")
    assert script.stat().st_mode & 0o777 == 0o700


def meant_for(tmp_path: Path, *states: str) -> None:
    """Have the metadata service answer with these states in turn, with the last for ever."""
    (tmp_path / "states").write_text("".join(f"{state}\n" for state in states), "utf-8")


def prepared(outcome: Outcome) -> list[str]:
    return [*outcome.called("docker pull"), *outcome.called("dnf install")]


def test_an_instance_of_the_warm_pool_prepares_and_works_once_it_is_started(
    tmp_path: Path,
) -> None:
    meant_for(tmp_path, "", "Warmed:Stopped", "Warmed:Stopped", "InService")
    outcome = boot(worker(pooled=True), tmp_path)
    assert outcome.code == 0
    assert outcome.steps() == [
        *("identify", "stay", "state", "docker", "pull", "warm"),
        # Started again: the pull is done, and the configuration is read anew.
        *("identify", "stay", "state", "docker", "scratch", "configure", "run", "work", "leave"),
        "end",
    ]
    let_go, in_service, left = outcome.called("complete-lifecycle-action")
    assert "--lifecycle-hook-name academy-prepare" in let_go
    assert "--lifecycle-hook-name academy-prepare" in in_service
    assert "--lifecycle-hook-name academy-drain" in left
    order = [outcome.calls.index(call) for call in (*prepared(outcome), let_go)]
    assert max(order) == order[-1], "nobody may stop it before it is prepared"
    assert len(prepared(outcome)) == 2
    assert not outcome.record().failed


def test_an_instance_that_was_stopped_in_the_pool_starts_without_preparing(
    tmp_path: Path,
) -> None:
    """What it was meant for last may be said for a while."""
    meant_for(tmp_path, "Warmed:Stopped", "InService")
    boot(worker(pooled=True), tmp_path)
    [script] = (tmp_path / "var/lib/cloud/scripts/per-boot").iterdir()
    meant_for(tmp_path, "Warmed:Stopped", "Warmed:Stopped", "InService")
    started = run([str(script)], tmp_path)
    assert started.code == 0
    assert prepared(started) == []
    [released] = started.called("academy-prepare")
    assert started.calls.index(released) > at(started.calls, "systemctl enable --now docker")
    assert started.called("systemctl enable --now docker")
    assert started.called("render_env")


def test_an_instance_launched_past_the_pool_boots_as_ever_and_asks_to_be_in_service(
    tmp_path: Path,
) -> None:
    """The hook may not wait yet, or be gone with the pool."""
    meant_for(tmp_path, "InService")
    outcome = boot(worker(pooled=True), tmp_path, FAIL="academy-prepare")
    assert outcome.code == 0
    asked = outcome.called("--lifecycle-hook-name academy-prepare")
    assert len(asked) == 10
    assert outcome.calls.index(asked[0]) < at(outcome.calls, "docker pull")
    assert not outcome.record().failed


@pytest.mark.parametrize("fail", ["docker pull", "dnf install"])
def test_a_preparation_that_fails_is_on_record_and_tried_once_more_when_it_is_started(
    tmp_path: Path, fail: str
) -> None:
    meant_for(tmp_path, "Warmed:Stopped")
    outcome = boot(worker(pooled=True), tmp_path, FAIL=fail)
    assert outcome.record().failed
    assert "academy-prepare --auto-scaling-group-name g" in outcome.calls[-1]
    assert "--lifecycle-action-result CONTINUE" in outcome.calls[-1]
    assert not outcome.called("terminate-instance")

    meant_for(tmp_path, "InService")
    [script] = (tmp_path / "var/lib/cloud/scripts/per-boot").iterdir()
    started = run([str(script)], tmp_path)
    assert len(prepared(started)) == 2
    assert not started.record().failed
