"""`python -m worker_images.video`: composes the worker and runs it until it may go."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from uuid import uuid4

import boto3
import imageio_ffmpeg

from config.contracts.messages import DeleteVideo, VideoJob, decode_video_message
from worker_images.base.clock import SystemClock
from worker_images.base.consumer import Consumer
from worker_images.base.database import open_database
from worker_images.base.errors import ConfigurationError
from worker_images.base.health import alive_path
from worker_images.base.heartbeat import Heartbeat
from worker_images.base.lifecycle import open_lifecycle
from worker_images.base.logging import configure, logger
from worker_images.base.metrics import EmbeddedMetrics
from worker_images.base.queue import SqsQueue
from worker_images.base.runner import JobRunner
from worker_images.base.settings import WorkerSettings, load_worker_settings
from worker_images.base.status import PostgresStatus
from worker_images.base.storage import open_storage
from worker_images.base.tasks import TaskRunner
from worker_images.video.delete import DeleteVideoFiles
from worker_images.video.encode import EncodeVideo
from worker_images.video.settings import VideoSettings, load_video_settings

#: The runbook (7.4) greps for it.
MARKER = "VIDEO-WORKER-SQS"


def main() -> int:
    """Run the worker; return 0 when it was drained or ended its own instance."""
    try:
        settings = load_worker_settings(os.environ)
        video = load_video_settings(os.environ)
    except ConfigurationError as error:
        sys.stderr.write(f"video worker does not start: {error}\n")
        return 1
    configure(secrets=settings.secrets)
    consumer = compose(settings, video)

    def on_sigterm(number: int, frame: object) -> None:
        threading.Thread(target=consumer.drain, name="drain").start()

    signal.signal(signal.SIGTERM, on_sigterm)
    signal.signal(signal.SIGINT, on_sigterm)
    consumer.run()
    logger("main").info("worker ends")
    return 0


def compose(settings: WorkerSettings, video: VideoSettings) -> Consumer:
    """Return the consumer of the video queue with everything it needs."""
    clock, alive = SystemClock(), alive_path().touch
    sqs = boto3.client("sqs", region_name=settings.region)
    queue = SqsQueue(
        sqs, settings.queue_names["video"], visibility_timeout_s=settings.visibility_timeout_s
    )
    storage = open_storage(settings.storage, settings.storage.video_bucket)
    status = PostgresStatus(open_database(settings.database).cursor)
    heartbeat = Heartbeat(queue, clock, settings.visibility_timeout_s, settings.time_limit_s, alive)
    encode = EncodeVideo(storage, video, imageio_ffmpeg.get_ffmpeg_exe(), clock)
    jobs = JobRunner(
        status=status,
        handler=encode,
        heartbeat=heartbeat,
        clock=clock,
        metrics=EmbeddedMetrics(
            sys.stdout, clock, environment=settings.environment, worker_kind=settings.kind
        ),
        worker_id=f"{socket.gethostname()}-{uuid4().hex[:8]}",
        attempts=settings.attempts,
        lease_s=settings.visibility_timeout_s,
    )
    deletions = TaskRunner(DeleteVideoFiles(storage, status), heartbeat)
    return Consumer(
        queue=queue,
        decode=decode_video_message,
        runners={VideoJob: jobs, DeleteVideo: deletions},
        lifecycle=open_lifecycle(settings),
        clock=clock,
        idle_s=settings.idle_s,
        marker=MARKER,
        alive=alive,
    )


if __name__ == "__main__":
    sys.exit(main())
