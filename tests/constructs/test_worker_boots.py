"""A worker's disk and its second boot, really run by bash."""

from __future__ import annotations

from pathlib import Path

from tests.constructs.test_user_data import boot, run, worker


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
