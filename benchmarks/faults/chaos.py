"""The faults, really done."""

from __future__ import annotations

import json
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import uuid4

from botocore.exceptions import ClientError

from benchmarks.faults.fleet import Fleet
from benchmarks.faults.plan import NOISE, Event, Fault
from benchmarks.faults.world import World
from config.contracts.queues import BY_KEY, QUEUES
from tests.unit.api.servers import Program, frozen
from worker_images.base.job_kinds import AI_JOBS, VIDEO_JOBS

#: A message that is sent again arrives so much later, at most.
_LATE_S = 5
_DUPLICATES = 5
_LOOK_S = 0.03
_AWAY = {Fault.SQS_AWAY: "sqs", Fault.STORAGE_AWAY: "s3"}
_SENT = "SELECT queue, body FROM outbox WHERE sent_at IS NOT NULL ORDER BY random() LIMIT %s"


@dataclass
class Chaos:
    """Does faults to a world and its workers; `done` counts them by fault and kind."""

    world: World
    fleet: Fleet
    draw: random.Random
    done: Counter[tuple[str, str]] = field(default_factory=Counter)
    poison: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    broken: list[str] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, events: list[Event]) -> None:
        """Do the faults at their times, in a thread."""
        self.beside(lambda: self._follow(events))

    def beside(self, work: Callable[[], None]) -> None:
        """Do something until it ends, beside everything else."""

        def run() -> None:
            try:
                work()
            except Exception as error:
                self.broken.append(repr(error))
                raise

        thread = threading.Thread(target=run, name="chaos")
        thread.start()
        self._threads.append(thread)

    def join(self) -> None:
        """Wait until every fault is done and over."""
        for thread in self._threads:
            thread.join()

    @property
    def busy(self) -> bool:
        """Whether a fault is still to come, or not over."""
        return any(thread.is_alive() for thread in self._threads)

    def note(self, fault: str, kind: str = "", times: int = 1) -> None:
        """Count a fault."""
        with self._lock:
            self.done[fault, kind] += times

    def spoil(self) -> None:
        """Send every queue bodies that are none, and three queues jobs that are not there."""
        bodies = {queue.key: ["no JSON {", '{"job_id": 7}'] for queue in QUEUES}
        job = {"job_id": str(uuid4()), "tenant_id": 1}
        video = {"video_id": 1, "file_key": "tenants/1/video/raw/x"}
        text = {"to": "01000000000", "text": "x", "sender": "021234567", "created_at": "2026"}
        bodies["video"].append(json.dumps(job | video))
        bodies["ai_basic"].append(
            json.dumps(job | {"job_type": "ocr", "tier": "basic", "payload": {}})
        )
        bodies["messaging"].append(json.dumps(job | text))
        for key, spoilt in bodies.items():
            for body in spoilt:
                self.world.client("sqs").send_message(QueueUrl=self._url(key), MessageBody=body)
                self.poison.append(body)
                self.note("poison", key)

    def kill_each(self, job_id: str) -> None:
        """Kill whoever runs a job of the AI fleet, as soon as it does, until the job has ended."""
        while not self.ended.wait(_LOOK_S):
            [(state,)] = self.world.rows("SELECT state FROM ai_jobs WHERE id = %s", job_id)
            if state not in AI_JOBS.open:
                return
            if state == AI_JOBS.running and self._kill_holder("ai", job_id):
                self.note("kill -9 by a poison job", "ai")

    def kill_after_parts(self, job_id: str, kills: int) -> None:
        """Kill the worker of a video `kills` times, each time another part of it was done."""
        known, done = 0, 0
        parts_of = "SELECT count(*) FROM video_parts WHERE job_id = %s"
        while done < kills and not self.ended.wait(_LOOK_S):
            [(state,)] = self.world.rows("SELECT state FROM video_jobs WHERE id = %s", job_id)
            if state not in VIDEO_JOBS.open:
                return
            [(parts,)] = self.world.rows(parts_of, job_id)
            if state == VIDEO_JOBS.running and parts > known and self._kill_holder("video", job_id):
                [(known,)] = self.world.rows(parts_of, job_id)
                done += 1
                self.note("kill -9 of one video", "video")

    def _kill_holder(self, kind: str, job_id: str) -> bool:
        holder = self.fleet.holder(kind, job_id)
        if holder is None:
            return False
        holder.process.kill()
        holder.process.wait()
        return True

    def _follow(self, events: list[Event]) -> None:
        began = time.monotonic()
        for event in events:
            if self.ended.wait(max(0.0, began + event.at_s - time.monotonic())):
                return
            self.beside(lambda event=event: self._do(event))

    def _do(self, event: Event) -> None:
        if event.kind:
            self._end_one(event)
        elif event.fault in NOISE:
            # SQS may be away: then there is nothing to send to, or to reorder.
            with suppress(ClientError):
                self._send_again() if event.fault is Fault.DUPLICATES else self._reorder()
        else:
            self.note(event.fault)
            self._take_away(event)

    def _end_one(self, event: Event) -> None:
        worker = self.fleet.victim(event.kind, self.draw)
        if worker is None:
            return
        if event.fault is Fault.NOTICE:
            self.fleet.notify(worker)
        else:
            number = signal.SIGKILL if event.fault is Fault.KILL else signal.SIGTERM
            worker.process.send_signal(number)
        self.note(event.fault, event.kind)

    def _take_away(self, event: Event) -> None:
        faults, service = self.world.aws.faults, _AWAY.get(event.fault)
        if service is not None:
            faults.put(service, down=True)
            self.ended.wait(event.lasts_s)
            faults.put(service, down=False)
        elif event.fault in (Fault.POSTGRES_FROZEN, Fault.REDIS_FROZEN):
            with frozen(self._server(event.fault)):
                self.ended.wait(event.lasts_s)
        else:
            server = self._server(event.fault)
            server.stop()
            self.ended.wait(event.lasts_s)
            server.start()

    def _server(self, fault: Fault) -> Program:
        of_redis = fault in (Fault.REDIS_AWAY, Fault.REDIS_FROZEN)
        return self.world.redis if of_redis else self.world.postgres

    def _send_again(self) -> None:
        """Send what was sent before, of whatever job, once more and late."""
        for queue, body in self.world.rows(_SENT, _DUPLICATES):
            late_s = self.draw.randint(0, _LATE_S)
            self.world.client("sqs").send_message(
                QueueUrl=self._url(queue), MessageBody=body, DelaySeconds=late_s
            )
            self.note(Fault.DUPLICATES)

    def _reorder(self) -> None:
        """Hide the foremost messages of every queue, each for another time."""
        sqs = self.world.client("sqs")
        for queue in QUEUES:
            url = self._url(queue.key)
            taken = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=30)
            for message in taken.get("Messages", []):
                sqs.change_message_visibility(
                    QueueUrl=url,
                    ReceiptHandle=message["ReceiptHandle"],
                    VisibilityTimeout=self.draw.randint(0, 3),
                )
                self.note(Fault.REORDER)

    def _url(self, key: str) -> str:
        name = self.world.environ[BY_KEY[key].variable]
        return f"{self.world.aws.endpoint}/123456789012/{name}"
