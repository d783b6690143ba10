"""A consumer over fakes, driven one message at a time or as a whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from config.contracts.messages import DeleteVideo, VideoJob, decode_video_message, encode
from worker_images.base.cancellation import Cancellation
from worker_images.base.consumer import Consumer
from worker_images.base.gate import Gate
from worker_images.base.heartbeat import Heartbeat
from worker_images.base.job_kinds import VIDEO_JOBS
from worker_images.base.leaving import Answer, Event, Leave, Phase
from worker_images.base.limits import Limits
from worker_images.base.presence import NullPresence
from worker_images.base.queue import Message
from worker_images.base.runner import job_runner, task_runner
from worker_images.base.testing import ManualClock, MemoryQueue
from worker_images.base.testing_run import RecordedMetrics, surroundings
from worker_images.base.testing_status import MemoryStatus
from worker_images.base.work import Context, Delivery, Disposition, Result

VISIBILITY_S = 30
HANG_LIMIT_S = 120


@dataclass
class Instance:
    """A lifecycle whose group refuses to let it go as often as told.

    `calls` are what it was asked to do. `before` is called ahead of each, `stale` says for how many
    more questions the group is content with the template.
    """

    refusals: int = 0
    stale: int | None = None
    instance_id: str | None = None
    calls: list[Leave] = field(default_factory=list)
    before: Callable[[Leave], Answer | None] = lambda leave: None
    noticed: Callable[[Event, str], None] = lambda event, reason: None

    @property
    def terminations(self) -> list[Leave]:
        """The calls that would have ended it."""
        return [leave for leave in self.calls if leave.phase is Phase.TERMINATING]

    def call(self, leave: Leave) -> Answer:
        self.calls.append(leave)
        answer = self.before(leave)
        if answer is not None:
            return answer
        refused = leave.phase is Phase.TERMINATING and len(self.terminations) <= self.refusals
        return Answer.REFUSED if refused else Answer.DONE

    def outdated(self) -> bool:
        if self.stale is None:
            return False
        self.stale -= 1
        return self.stale < 0

    def version(self) -> str:
        return "1"

    def watch(self, noticed: Callable[[Event, str], None]) -> None:
        self.noticed = noticed


@dataclass
class Bench:
    """A consumer over fakes; `handler` decides how a job ends."""

    handler: Callable[[VideoJob, Context], Result] = lambda job, context: Result()
    attempts: int = 3
    concurrency: int = 1
    copy_after: int = 1_000
    grace_s: float = 60
    lifecycle: Instance = field(default_factory=Instance)
    clock: ManualClock = field(default_factory=ManualClock)
    deletions: list[DeleteVideo] = field(default_factory=list)
    task: Callable[[DeleteVideo, Cancellation], None] | None = None
    probe: Callable[[], object] = lambda: None
    copy: Callable[[Message, str | None], None] = lambda message, job_id: None

    def __post_init__(self) -> None:
        self.queue = MemoryQueue(self.clock, VISIBILITY_S)
        self.status = MemoryStatus(self.clock)
        self.metrics = RecordedMetrics()
        self.beats = 0
        limits = Limits(VISIBILITY_S, 3600, HANG_LIMIT_S, self.grace_s)
        self.heartbeat = Heartbeat(self.queue, self.clock, limits, self.beat)
        self.gate = Gate(self.ask, self.clock)
        around = surroundings(
            self.clock,
            metrics=self.metrics,
            attempts=self.attempts,
            lease_s=VISIBILITY_S,
            copy_message=self.copy,
            copy_after=self.copy_after,
            away=self.gate.suspect,
        )
        task = self.task or (lambda message, cancellation: self.deletions.append(message))
        self.consumer = Consumer(
            queue=self.queue,
            decode=decode_video_message,
            runners={
                VideoJob: job_runner(VIDEO_JOBS, self.status, self.handle, around),
                DeleteVideo: task_runner(task, around),
            },
            heartbeat=self.heartbeat,
            lifecycle=self.lifecycle,
            presence=NullPresence(),
            gate=self.gate,
            clock=self.clock,
            idle_s=60,
            concurrency=self.concurrency,
            short=self.concurrency > 1,
            marker="VIDEO-WORKER-SQS",
        )

    def handle(self, job: VideoJob, context: Context) -> Result:
        return self.handler(job, context)

    def ask(self) -> object:
        return self.probe()

    def beat(self) -> None:
        self.beats += 1

    def add_job(self) -> str:
        job_id = str(uuid4())
        self.status.add(job_id, video_id=7, tenant_id=1)
        self.send(job_id)
        return job_id

    def send(self, job_id: str) -> None:
        self.queue.send(encode(VideoJob(job_id, 7, 1, "tenants/1/video/raw/s/a.mp4")))

    def row(self, job_id: str) -> Any:
        return self.status.rows[job_id]

    def outcomes(self) -> list[str]:
        return [job.outcome for job in self.metrics.jobs]

    def delay_s(self) -> float:
        (entry,) = self.queue.entries
        return entry.visible_at - self.clock.now()

    def take(self) -> Delivery:
        """Receive one message and keep it, as the loop does."""
        (message,) = self.queue.receive(0)
        delivery = Delivery(message, self.clock.monotonic())
        self.heartbeat.keep([delivery])
        return delivery

    def step(self) -> Disposition:
        """Receive, handle and settle one message."""
        delivery = self.take()
        disposition = self.consumer.dispose(delivery)
        self.consumer.settler.settle([(delivery, disposition)])
        return disposition


def raising(error: Exception) -> Callable[[VideoJob, Context], Result]:
    def handler(job: VideoJob, context: Context) -> Result:
        raise error

    return handler
