"""The no-op job under our runtime: `python -m benchmarks.loop_ours <concurrency>`.

The consumer, its threads, heartbeat, settling and log lines are those of a worker; the runner is
that of work without a job row, as Celery and dramatiq know none either.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from config.contracts.text_messages import TextJob, decode_text_job
from worker_images.base.clock import SystemClock
from worker_images.base.consumer import Consumer
from worker_images.base.gate import Gate
from worker_images.base.heartbeat import Heartbeat
from worker_images.base.lifecycle import NullLifecycle
from worker_images.base.limits import Limits
from worker_images.base.logging import configure
from worker_images.base.presence import NullPresence
from worker_images.base.prometheus import PrometheusMetrics
from worker_images.base.queue import SqsQueue
from worker_images.base.runner import Surroundings, task_runner
from worker_images.base.sqs_client import open_sqs

QUEUE = "our-jobs"
VISIBILITY_S = 60


def main(concurrency: int) -> None:
    """Consume until the process is ended."""
    clock = SystemClock()
    queue = SqsQueue(open_sqs("ap-northeast-2"), "own", QUEUE, visibility_timeout_s=VISIBILITY_S)
    around = Surroundings(
        clock=clock,
        metrics=PrometheusMetrics("messaging"),
        worker_id="loop",
        attempts=5,
        lease_s=VISIBILITY_S,
        copy_message=lambda message, job_id: None,
        copy_after=1_000,
    )
    consumer = Consumer(
        queue=queue,
        decode=decode_text_job,
        runners={TextJob: task_runner(lambda job, cancellation: None, around)},
        heartbeat=Heartbeat(queue, clock, Limits(VISIBILITY_S, 600, 300), lambda: None),
        lifecycle=NullLifecycle(),
        presence=NullPresence(),
        gate=Gate(lambda: None, clock),
        clock=clock,
        idle_s=3600,
        concurrency=concurrency,
        short=concurrency > 1,
        marker="LOOP",
    )
    with Path(os.devnull).open("w") as log:
        configure(secrets=(), stream=log)
        consumer.run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
