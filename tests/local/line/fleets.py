"""What the video fleet did, seen from outside: its group, its activities, its workers' logs."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psutil

from tests.local.line.platform import VIDEO_GROUP, Platform, wait_for

_LAUNCH, _END = "Launching a new EC2 instance", "Terminating EC2 instance: "
_LOGS = "academy-local-video-FleetLogs"
_EVERY_S = 0.25
_BREATH_EVERY_S, _BREATH_S = 60.0, 0.5


@dataclass(frozen=True)
class Run:
    """An attempt at a job on an instance, by the worker's own log. `ended` None: it never did."""

    instance: str
    job_id: str
    attempt: int
    began: datetime
    ended: datetime | None


@dataclass
class Seen:
    """What a group looked like meanwhile.

    `sizes` holds every (desired, maximum); `templates` the launch template's version by instance.
    """

    sizes: list[tuple[int, int]] = field(default_factory=list)
    templates: dict[str, str] = field(default_factory=dict)

    @property
    def desired(self) -> set[int]:
        return {desired for desired, _ in self.sizes}


@contextmanager
def watched(platform: Platform) -> Iterator[Seen]:
    """Look at the video group some times a second until the block ends."""
    seen, stopping = Seen(), threading.Event()

    def look() -> None:
        while not stopping.wait(_EVERY_S):
            group = platform.group()
            seen.sizes.append((group["DesiredCapacity"], group["MaxSize"]))
            for each in group["Instances"]:
                seen.templates[each["InstanceId"]] = each["LaunchTemplate"]["Version"]

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        stopping.set()
        thread.join()


def now() -> datetime:
    return datetime.now(UTC)


def launches(platform: Platform, since: datetime) -> list[dict[str, Any]]:
    """Return the group's launches since a moment, the first one first."""
    found = [each for each in _activities(platform) if each["Description"].startswith(_LAUNCH)]
    late = [each for each in found if each["StartTime"] >= since]
    return sorted(late, key=lambda each: each["StartTime"])


def ended(platform: Platform) -> dict[str, datetime]:
    """Return when the group began to end each instance that it ended."""
    return {
        each["Description"].removeprefix(_END): each["StartTime"]
        for each in _activities(platform)
        if each["Description"].startswith(_END)
    }


def _activities(platform: Platform) -> list[dict[str, Any]]:
    pages = platform.client("autoscaling").get_paginator("describe_scaling_activities")
    found = pages.paginate(AutoScalingGroupName=VIDEO_GROUP)
    return [each for page in found for each in page["Activities"]]


def runs(platform: Platform, jobs: list[str]) -> list[Run]:
    """Return the attempts at jobs, once the workers' logs hold the end of each of them."""

    def probe() -> list[Run] | None:
        found = [run for run in _runs(platform) if run.job_id in jobs]
        complete = {run.job_id for run in found if run.ended} == set(jobs)
        return found if complete else None

    return wait_for("the workers' logs are there", probe, within_s=60)


def _runs(platform: Platform) -> list[Run]:
    found: dict[tuple[str, str, int], list[tuple[str, datetime]]] = {}
    for instance, line in fleet_log(platform, "video/"):
        if "job_id" in line and line.get("event") in {"job started", "job succeeded"}:
            key = (instance, line["job_id"], line["attempt"])
            found.setdefault(key, []).append((line["event"], datetime.fromisoformat(line["time"])))
    return [
        Run(*key, began=times["job started"], ended=times.get("job succeeded"))
        for key, events in found.items()
        if (times := dict(events))
    ]


def fleet_log(platform: Platform, prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the JSON lines of the fleet's log streams of a kind, each with its instance."""
    logs = platform.client("logs")
    [group] = logs.describe_log_groups(logGroupNamePrefix=_LOGS)["logGroups"]
    place = {"logGroupName": group["logGroupName"]}
    for stream in logs.describe_log_streams(**place, logStreamNamePrefix=prefix)["logStreams"]:
        name = stream["logStreamName"]
        events = logs.get_log_events(**place, logStreamName=name, startFromHead=True)["events"]
        for event in events:
            if event["message"].startswith("{"):
                yield name.rpartition("/")[2], json.loads(event["message"])


def ended_while_busy(platform: Platform, done: list[Run]) -> list[Run]:
    """Return the attempts whose instance the group began to end before they were over."""
    ends = ended(platform)
    return [
        run
        for run in done
        if run.instance in ends and (run.ended is None or ends[run.instance] < run.ended)
    ]


def jobs_of(platform: Platform, videos: list[int]) -> list[str]:
    """Return the ids of the videos' jobs, one each."""
    rows = platform.rows("select id from video_jobs where video_id = any(%s)", videos)
    assert len(rows) == len(videos)
    return [str(row[0]) for row in rows]


def running_tag(platform: Platform, instance: str) -> str:
    """Return the tag of the image that an instance's worker runs."""
    name = "academy-video-worker"
    record = platform.state / f"instances/{instance}/containers/{name}.json"
    return str(json.loads(record.read_text())["image"]).rpartition(":")[2]


def alarm(platform: Platform, prefix: str) -> dict[str, Any]:
    """Return the alarm whose name begins so."""
    found = platform.client("cloudwatch").describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]
    [only] = found
    return only


def workers(platform: Platform) -> dict[str, str]:
    """Return the state of every worker that lately gave a sign of life, by instance."""
    rows = platform.rows(
        "select instance_id, state from workers"
        " where kind = 'video' and seen_at > now() - interval '30 s'"
    )
    return dict(rows)


def in_state(platform: Platform, state: str) -> list[str]:
    """Return the instances whose workers say that they are in a state."""
    return [each for each, said in workers(platform).items() if said == state]


def instances(platform: Platform) -> dict[str, str]:
    """Return the launch template's version of every instance in service."""
    return {
        each["InstanceId"]: each["LaunchTemplate"]["Version"]
        for each in platform.group()["Instances"]
        if each["LifecycleState"] == "InService"
    }


def empty(platform: Platform) -> bool:
    """Whether the fleet wants no instance and has none."""
    group = platform.group()
    return group["DesiredCapacity"] == 0 and not group["Instances"]


def worker_pids(platform: Platform) -> list[int]:
    """Return the process ids of the video workers' containers, as their instances record them."""
    found = platform.state.glob("instances/*/containers/academy-video-worker.json")
    processes = [json.loads(path.read_text())["process"] for path in found]
    return [each["pid"] for each in processes if each and psutil.pid_exists(each["pid"])]


@contextmanager
def held(platform: Platform, jobs: int) -> Iterator[None]:
    """Let the encoders of so many running jobs stand still until the block ends.

    A job then lasts as long as a test needs it to, and takes no time of the machine's: each of its
    encoders stands still, later ones too. Now and then they go on for a moment: a job without
    progress for 300 s is given up.
    """
    stopped: dict[int, list[psutil.Process]] = {}
    ending = threading.Event()

    def stop(workers: list[int]) -> None:
        for pid in workers:
            for encoder in _encoders(pid):
                with suppress(psutil.NoSuchProcess):
                    encoder.suspend()
                    stopped.setdefault(pid, []).append(encoder)

    def enough() -> bool:
        stop(worker_pids(platform))
        return len(stopped) >= jobs

    def breathe() -> None:
        breath_at = time.monotonic() + _BREATH_EVERY_S
        while not ending.wait(_EVERY_S):
            stop([*stopped])
            if time.monotonic() >= breath_at:
                _each(stopped, psutil.Process.resume)
                ending.wait(_BREATH_S)
                _each(stopped, psutil.Process.suspend)
                breath_at = time.monotonic() + _BREATH_EVERY_S
        _each(stopped, psutil.Process.resume)

    thread = threading.Thread(target=breathe, daemon=True)
    try:
        wait_for(f"{jobs} jobs run", enough, within_s=120)
        thread.start()
        yield
    finally:
        ending.set()
        thread.join() if thread.ident else _each(stopped, psutil.Process.resume)


def _each(stopped: dict[int, list[psutil.Process]], act: Callable[[psutil.Process], None]) -> None:
    for encoder in itertools.chain(*stopped.values()):
        with suppress(psutil.NoSuchProcess):
            act(encoder)


def _encoders(pid: int) -> list[psutil.Process]:
    try:
        below = psutil.Process(pid).children(recursive=True)
        return [
            each
            for each in below
            if "ffmpeg" in each.name() and each.status() != psutil.STATUS_STOPPED
        ]
    except psutil.NoSuchProcess:
        return []
